import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { firstIdAt } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser } from '../audit.fixture.ts'
import {
  createRetentionCore,
  dropExpiredMonths,
  keepRecording,
  monthAgo,
  monthsOf,
  partitionsOf,
  recordInMonths,
  removeExpiredOf,
  sealMonths,
  tryToDropMonths,
} from './retention.fixture.ts'

let core: TestCore
let ada: Person
before(async () => {
  core = await createRetentionCore()
  ada = await register(core)
  await recordInMonths(core, ada.tenantId, [1, 2, 12, 13, 14])
  await sealMonths(core, ada.tenantId)
  await removeExpiredOf(core, ada.tenantId)
})
after(async () => {
  await Promise.all(held.map((client) => client.end()))
  await core.close()
})

const held: pg.Client[] = []

/** A connection with a transaction open in which those statements were run. */
async function hold(url: string, ...statements: string[]): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=core,public' })
  await client.connect()
  held.push(client)
  for (const statement of ['begin', ...statements]) await client.query(statement)
  return client
}

const setTenant = () => `select tenantry.set_tenant('${ada.tenantId}')`

async function recordDuring(work: () => Promise<void>): Promise<string> {
  const stop = keepRecording(core, ada.tenantId, 2)
  await work().finally(stop)
  const times = await stop()
  return `${Math.round(times.at(-1) ?? 0)} ms of ${times.length}`
}

describe('dropping a month', () => {
  test('keeps nobody waiting for long while somebody reads, and is done another time', {
    timeout: 300_000,
  }, async (context) => {
    const reader = await hold(
      core.database.appUrl,
      setTenant(),
      `select count(*) from audit_logs where tenant_id = '${ada.tenantId}'`,
    )
    // Each of these ends, although the reader's transaction does not.
    let inUse = 0
    const during = await recordDuring(async () => {
      inUse = await tryToDropMonths(core)
    })
    assert.equal((await monthsOf(core, ada.tenantId)).length, 5)
    assert.equal(inUse, 2, 'both months')
    await reader.query('commit')
    const later = await recordDuring(() => dropExpiredMonths(core))
    assert.deepEqual(
      (await monthsOf(core, ada.tenantId)).map(([ago]) => ago),
      [1, 2, 12],
    )
    assert.deepEqual(
      (await partitionsOf(core)).filter((ago) => ago > 11),
      [12],
    )
    context.diagnostic(`the slowest write while it was in vain: ${during}; while it was not: ${later}`)
  })

  test('waits for whoever writes to that very month', async () => {
    const { tenantId } = ada
    await recordInMonths(core, tenantId, [15])
    await removeExpiredOf(core, tenantId)
    const at = monthAgo(core, 15)
    const writer = await hold(
      core.database.appUrl,
      setTenant(),
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
       values ('${tenantId}', '${firstIdAt(Date.parse(at))}', '${at}', 'toy.late', 'system', 'system', 'toy')`,
    )
    assert.equal(await tryToDropMonths(core), 1)
    assert.ok((await partitionsOf(core)).includes(15))
    await writer.query('rollback')
    await dropExpiredMonths(core)
    assert.ok(!(await partitionsOf(core)).includes(15))
  })

  test('leaves a month alone that is not over, though it is empty and however it is asked', async () => {
    const months = ['now()', "now() + interval '1 month'", "now() + interval '2 months'", 'null']
    for (const month of months) {
      const [row] = await core.core.db.systemQuery(`select tenantry.drop_audit_month((${month})::date) as dropped`)
      assert.equal(row?.dropped, false, month)
    }
    const [row] = await core.core.db.systemQuery("select tenantry.drop_audit_month('2001-01-01') as dropped")
    assert.equal(row?.dropped, false, 'one that there never was')
  })

  test('leaves one alone in which a tenant has a record that no seal gave up', async () => {
    const otto = await register(core)
    await recordInMonths(core, otto.tenantId, [17])
    await dropExpiredMonths(core)
    assert.deepEqual(await monthsOf(core, otto.tenantId), [[17, 5]])
    // It takes more than the mere end of a chain: that can be changed, a block cannot.
    await sealMonths(core, otto.tenantId)
    await asSuperuser(
      core,
      'update audit_chains set removed_to = tenantry.uuid_at(now()), removal_height = height where tenant_id = $1',
      [otto.tenantId],
    )
    await dropExpiredMonths(core)
    assert.deepEqual(await monthsOf(core, otto.tenantId), [[17, 5]])
  })
})
