import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { globalRecords } from '../admin/admin.fixture.ts'
import { findDue } from './jobs.ts'
import { asSuperuser, carryOut, countOf, passGrace, remove } from './tenant-removal.fixture.ts'

let t: TestCore
const children: ChildProcess[] = []
before(async () => {
  t = await createTestCore()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await t?.close()
})

/** A worker in a process of its own, which finds the removal due. */
async function startWorker(): Promise<ChildProcess> {
  const { drop: _, ...urls } = t.database
  const ahead = String(t.clock.ms() - Date.now())
  const child = fork(new URL('./process.fixture.ts', import.meta.url), [JSON.stringify(urls), t.dataDir, ahead])
  children.push(child)
  await once(child, 'message')
  await t.runSchedule(findDue)
  return child
}

/** Holds a row that a statement has to wait for, until somebody does, and then ends the worker without a warning. */
async function killWhileItWaitsFor(row: string): Promise<void> {
  const holder = new pg.Client({ connectionString: t.database.superuserUrl })
  await holder.connect()
  try {
    await holder.query(`begin; select 1 from core.${row} for update`)
    const child = await startWorker()
    await until(`it waits for ${row}`, async () => {
      const waiting = await asSuperuser(
        t,
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      return waiting.length > 0
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
  } finally {
    await holder.end()
  }
  // As if the minute had passed after which it counts as dead.
  await asSuperuser(t, "update core.tenant_removals set claimed_until = claimed_until - interval '1 day'")
  await asSuperuser(t, "update core.system_jobs set locked_until = locked_until - interval '1 day'")
}

test('a removal whose process is killed, wherever that is, is carried out by others, and counts nothing twice', async () => {
  const operator = await t.addOperator(['operations'])
  const tenant = await t.foundTenant({ plan: 'business' })
  const { id } = (await tenant.owner.post('/api-keys', { name: 'One', scopes: ['store.view'] })).body
  assert.ok(id)
  for (const name of ['Second', 'Third']) await tenant.owner.post('/stores', { name })
  const form = { fields: {}, file: { name: 'a.txt', content: 'twelve bytes' } }
  await tenant.owner.request('POST', '/files', { form })
  await t.drainJobs(tenant.id)
  await remove(operator, tenant.id)
  const tables = ['audit_logs', 'stores', 'roles', 'api_keys', 'events', 'files']
  const counts = await Promise.all(tables.map((table) => countOf(t, table, tenant.id)))
  await passGrace(t)

  // On its way into the tenant, amid its rows, and at the very end.
  await killWhileItWaitsFor(`api_key_hashes where tenant_id = '${tenant.id}'`)
  assert.equal((await operator.post(`/admin/tenants/${tenant.id}/reactivate`)).status, 409)
  await killWhileItWaitsFor(`stores where tenant_id = '${tenant.id}'`)
  assert.equal(await countOf(t, 'stores', tenant.id), counts[1])
  await killWhileItWaitsFor(`tenant_slugs where tenant_id = '${tenant.id}'`)
  assert.equal((await operator.get(`/admin/tenants/${tenant.id}`)).body.status, 'deleted')
  assert.equal((await operator.get(`/admin/tenants/${tenant.id}/certificate`)).status, 404)

  assert.deepEqual(await carryOut(t), ['done'])
  const { facts } = (await operator.get(`/admin/tenants/${tenant.id}/certificate`)).body
  const rows = new Map(facts.rows.map((each: { table: string; rows: number }) => [each.table, each.rows]))
  assert.deepEqual(
    tables.map((table) => rows.get(table)),
    counts,
  )
  assert.deepEqual(facts.storages, [{ storage: 'local', objects: 1, bytes: 12 }])
  const records = await globalRecords(t, tenant.id)
  assert.equal(records.filter(({ action }) => action === 'admin.tenant_purged').length, 1)
})
