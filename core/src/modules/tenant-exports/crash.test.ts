import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pg from 'pg'
import { DAYS, HOURS, MINUTES } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { keyOf } from './keys.ts'
import { removeExpiredExports } from './sweep.ts'
import { download, exportTenant, PATH, read } from './tenant-exports.fixture.ts'

/** So many that they take seconds, in which a process can end. */
const RECORDS = 20_000

let t: TestCore
let tenant: TestTenant
const children: ChildProcess[] = []
before(async () => {
  t = await createTestCore()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await t?.close()
})
beforeEach(async () => {
  tenant = await t.foundTenant()
})

/** Adds records of what happened, each of some kilobytes. */
const addRecords = (count: number) =>
  t.core.db.systemQuery(
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
     select $1, overlay(tenantry.uuid_at(now())::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, now(), 'store.updated', 'system', 'system', 'store',
       jsonb_build_object('text', repeat(md5(n::text), 128)) from generate_series(1, $2::int) n returning 1`,
    [tenant.id, count],
  )
const row = async () => {
  const [found] = await t.core.db.systemQuery<{
    id: string
    attempts: number
    rows_done: number
    error: string | null
  }>('select id::text, attempts, rows_done::int, error from tenant_exports where tenant_id = $1', [tenant.id])
  assert.ok(found)
  return found
}
const snapshots = () =>
  t.core.db.systemQuery<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'tenantry snapshot' and datname = current_database()",
  )

test('what a process leaves that dies is written by another one, from its beginning', async () => {
  await addRecords(RECORDS)
  await tenant.owner.post(PATH)
  const { drop: _, ...urls } = t.database
  const child = fork(new URL('./process.fixture.ts', import.meta.url), [JSON.stringify(urls), t.dataDir])
  children.push(child)
  await until('it is being written', async () => (await row()).rows_done > 0 || (await snapshots()).length > 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal((await tenant.owner.get(PATH)).body.status, 'running')

  // It keeps its lease so long.
  t.clock.advance(2 * MINUTES)
  await t.drainJobs(tenant.id)
  const { attempts, id } = await row()
  assert.equal(attempts, 2)
  const { url, status } = (await tenant.owner.get(PATH)).body
  assert.equal(status, 'done')
  const { manifest, rows } = await read((await download(t, url)).bytes)
  assert.ok(rows('audit_logs').length >= RECORDS)
  assert.ok(manifest.tables.length > 0)
  // One that dies after it has written everything leaves a file.
  const left = keyOf({ tenant_id: tenant.id, id }, 1)
  await t.core.storage.write(
    left,
    (async function* () {
      yield Buffer.from('left behind')
    })(),
  )
  t.clock.advance(7 * DAYS)
  await t.runSchedule(removeExpiredExports)
  assert.equal(await t.core.storage.has(left), false)
})

test('a snapshot whose connection is lost is begun anew', async () => {
  await addRecords(RECORDS)
  await tenant.owner.post(PATH)
  const drained = drainJobs(t.core, tenant.id)
  await until('the snapshot is open', async () => {
    const open = await snapshots()
    for (const { pid } of open) await asSuperuser(`select pg_terminate_backend(${pid})`)
    return open.length > 0
  })
  await drained
  assert.equal((await tenant.owner.get(PATH)).body.status, 'running')
  t.clock.advance(1 * MINUTES)
  await drainJobs(t.core, tenant.id)
  assert.equal((await tenant.owner.get(PATH)).body.status, 'done')
  assert.equal((await row()).attempts, 2)
})

test('one that cannot be written is told to have failed, and another one may be asked for', async () => {
  const own = await createTestCore()
  try {
    const lost = await own.foundTenant()
    // A file where the folder would be.
    await writeFile(join(own.dataDir, 'files'), 'x')
    await lost.owner.post(PATH)
    for (let attempt = 0; attempt < 6; attempt++) {
      await drainJobs(own.core, lost.id)
      own.clock.advance(1 * HOURS)
    }
    const { status, error, url, size } = (await lost.owner.get(PATH)).body
    assert.deepEqual({ status, error, url, size }, { status: 'failed', error: 'unexpected', url: null, size: null })
    const subjects = (await own.mails(lost.owner.email)).map(({ subject }) => subject)
    assert.deepEqual(subjects, ['Your export has failed'])
    assert.equal((await lost.owner.post(PATH)).status, 202)
    assert.equal((await lost.owner.get(PATH)).body.status, 'queued')
  } finally {
    await own.close()
  }
})

test('however large a tenant is, its export takes the same memory', async () => {
  const MiB = 1024 * 1024
  // About 80 MB of rows.
  await addRecords(RECORDS)
  await exportTenant(t, await t.foundTenant())
  let peak = 0
  const begun = inUse()
  const timer = setInterval(() => {
    peak = Math.max(peak, inUse() - begun)
  }, 500)
  await tenant.owner.post(PATH)
  await t.drainJobs(tenant.id)
  clearInterval(timer)
  assert.equal((await tenant.owner.get(PATH)).body.status, 'done')
  assert.ok(peak < 40 * MiB, `${Math.round(peak / MiB)} MiB more were in use`)
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag brings it

/** What is held on to. */
const inUse = () => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function asSuperuser(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: t.database.superuserUrl })
  await client.connect()
  await client.query(text)
  await client.end()
}
