import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { listOf } from '../notifications.fixture.ts'

let t: TestCore
let operator: TestPerson
const tenants: TestTenant[] = []
before(async () => {
  t = await createTestCore()
  operator = await t.addPerson('Oskar Operator')
  await t.core.db.systemQuery('update users set is_super_admin = true where id = $1', [operator.userId])
  for (let i = 0; i < 12; i++) tenants.push(await t.foundTenant())
})
after(() => t.close())

/** As workers do: tenants are worked on while the telling goes on. */
async function tellAll(): Promise<void> {
  const tellTenants = async () => {
    for (const { id } of tenants) await t.drainJobs(id)
  }
  let isTold = false
  const telling = t.drainJobs(null).finally(() => {
    isTold = true
  })
  while (!isTold) await tellTenants()
  await telling
  await tellTenants()
}
const news = () => ({ title: `News ${newId()}`, message: 'No {plural, braces} are *read* here.', type: 'warning' })
const times = async (person: TestPerson, title: string) =>
  (await listOf(person)).filter((each) => each.title === title).length

test('everybody in all tenants is told once, in the words that were given', async () => {
  await tellAll()
  const given = news()
  const { status, body } = await operator.post('/admin/announcements', given)
  assert.equal(status, 202)
  has(body, { ...given, tenant_ids: null })
  await tellAll()
  for (const { owner } of tenants) assert.equal(await times(owner, given.title), 1)
  const [first] = await listOf(tenants[0]?.owner as TestPerson)
  has(first, given)
  const records = await t.core.db.systemQuery<{ actor_id: string; new_values: object }>(
    "select actor_id, new_values from global_audit_logs where action = 'announcement.created' and resource_id = $1",
    [body.id],
  )
  assert.equal(records.length, 1)
  has(records[0], { actor_id: operator.userId, new_values: given })
})

test('the tenants that are named are told alone, and the telling goes on where a crash ended it, telling nobody twice', async () => {
  const given = news()
  const some = tenants.slice(2, 5)
  const wish = { ...given, tenant_ids: some.map(({ id }) => id) }
  const { body } = await operator.post('/admin/announcements', wish)
  await tellAll()
  // As if the process had died before it wrote down how far it was.
  await t.core.db.systemQuery('update announcements set position = null, finished_at = null where id = $1', [body.id])
  const { announceOn } = await import('./announce.ts')
  await t.core.run((ctx) => ctx.enqueue(announceOn, { id: body.id }))
  await tellAll()
  for (const each of tenants) assert.equal(await times(each.owner, given.title), some.includes(each) ? 1 : 0)
  for (const { id, owner } of some) {
    assert.ok(id)
    const mails = (await t.mails(owner.email)).filter(({ subject }) => subject.includes(given.title))
    assert.equal(mails.length, 1)
  }
})

test('nobody else announces anything, and nothing that cannot be told', async () => {
  const { owner } = tenants[0] as TestTenant
  assert.equal((await owner.post('/admin/announcements', news())).status, 403)
  const stray = newId()
  const wrong = await operator.post('/admin/announcements', { ...news(), tenant_ids: [tenants[0]?.id, stray] })
  has(wrong, { status: 400, body: { errors: [{ pointer: '#/tenant_ids/1' }] } })
  const empty = await operator.post('/admin/announcements', { title: ' ', message: ' ', type: 'loud' })
  assert.equal(empty.status, 400)
  assert.equal(empty.body.errors.length, 3)
})
