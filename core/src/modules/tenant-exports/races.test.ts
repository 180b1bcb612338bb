import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { PATH } from './tenant-exports.fixture.ts'

const AT_ONCE = 24

/** Two processes on one database. */
let cores: [TestCore, TestCore]
before(async () => {
  const first = await createTestCore()
  const { dataDir } = first
  cores = [first, await createTestCore({ database: first.database, env: { DATA_DIR: dataDir } })]
})
after(async () => {
  for (const core of cores?.toReversed() ?? []) await core.close()
})

/** Asks so often at once, of both processes in turn, by both owners; gives the different answers. */
async function ask(owners: readonly TestPerson[]): Promise<string[]> {
  const tokens = await Promise.all(owners.map((owner) => owner.token()))
  const asked = Array.from({ length: AT_ONCE }, (_, at) =>
    cores[at % 2 === 0 ? 0 : 1].request('POST', `/api/v1${PATH}`, { token: tokens[at % tokens.length] ?? null }),
  )
  const answers = await Promise.all(asked)
  for (const { status, text } of answers) assert.equal(status, 202, text)
  return [...new Set(answers.map(({ body }) => body.job_id))]
}

test('whoever asks while an export is being written gets that one', async () => {
  const tenant = await cores[0].foundTenant()
  const owners = [tenant.owner, await tenant.member({ role: 'owner' })]
  const rows = async () => {
    const sql = 'select id::text, finished_at is not null as done from tenant_exports where tenant_id = $1 order by id'
    return cores[0].core.db.systemQuery<{ id: string; done: boolean }>(sql, [tenant.id])
  }
  const first = await ask(owners)
  assert.deepEqual(await rows(), [{ id: first[0], done: false }])
  assert.equal(first.length, 1)
  await Promise.all(cores.map(({ drainJobs }) => drainJobs(tenant.id)))
  const second = await ask(owners)
  assert.equal(second.length, 1)
  assert.notEqual(second[0], first[0])
  await Promise.all(cores.map(({ drainJobs }) => drainJobs(tenant.id)))
  assert.deepEqual(await rows(), [
    { id: first[0], done: true },
    { id: second[0], done: true },
  ])
  const requested = (await tenant.owner.get('/audit?action=tenant.export_requested')).body.data
  assert.equal(requested.length, 2)
})

test('asking while one ends gives one that is there', async () => {
  const tenant = await cores[0].foundTenant()
  await ask([tenant.owner])
  const [jobs] = await Promise.all([ask([tenant.owner]), cores[1].drainJobs(tenant.id)])
  await Promise.all(cores.map(({ drainJobs }) => drainJobs(tenant.id)))
  assert.ok(jobs.length <= 2)
  const { job_id, status } = (await tenant.owner.get(PATH)).body
  assert.equal(status, 'done')
  assert.ok(jobs.includes(job_id))
})
