import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { firstIdAt, LEAST_ID, newId } from '#kernel'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import type { TestCore } from '../../../testing/index.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { blocksOf, chainOf } from '../seals/seal.fixture.ts'
import {
  createRetentionCore,
  keepFor,
  keepRecording,
  monthAgo,
  monthsOf,
  recordInMonths,
  removalsOf,
  removeExpiredOf,
  sealMonths,
} from './retention.fixture.ts'

const MANY = 200_000

let core: TestCore
let ada: Person
before(async () => {
  core = await createRetentionCore()
  ada = await register(core)
  // Somebody who keeps everything, so that nothing is dropped whole.
  const keeper = await register(core)
  await keepFor(core, keeper.tenantId, 3650)
  await recordInMonths(core, keeper.tenantId, [1])
  await sealMonths(core, keeper.tenantId)
})
after(() => core.close())

async function asRole<T>(role: 'app' | 'system', work: (client: pg.Client) => Promise<T>): Promise<T> {
  const connectionString = role === 'app' ? core.database.appUrl : core.database.systemUrl
  const client = new pg.Client({ connectionString, options: '-c search_path=core,public' })
  await client.connect()
  try {
    await client.query("select set_config('app.tenant_id', $1, false)", [ada.tenantId])
    return await work(client)
  } finally {
    await client.end()
  }
}

const idIn = (months: number) => firstIdAt(Date.parse(monthAgo(core, months)))

describe('the right to remove', () => {
  const FUNCTIONS = [
    "select tenantry.remove_audit_logs(current_setting('app.tenant_id')::uuid, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001', 1)",
    "select tenantry.remove_audit_blocks(current_setting('app.tenant_id')::uuid, 1)",
    "select tenantry.drop_audit_month('2001-01-01')",
    "select tenantry.audit_given_up(current_setting('app.tenant_id')::uuid)",
    "select tenantry.audit_month_is_given_up('audit_logs_other', '00000000-0000-0000-0000-000000000001')",
  ]

  test('is none of the application', async () => {
    await asRole('app', async (client) => {
      for (const statement of FUNCTIONS) await assert.rejects(client.query(statement), { code: '42501' }, statement)
    })
  })

  test('is the functions alone for the system, and no other way', async () => {
    const statements = [
      'delete from audit_logs',
      'delete from audit_blocks',
      'drop table audit_logs_other',
      'alter table audit_logs detach partition audit_logs_other',
      ...FUNCTIONS.slice(3),
    ]
    await asRole('system', async (client) => {
      for (const statement of statements) await assert.rejects(client.query(statement), { code: '42501' }, statement)
    })
  })

  test('ends where no seal has given anything up', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [13, 14, 15])
    const remove = (before: string | null, most: number | null = 10, tenant: string | null = tenantId) =>
      asRole('system', (client) =>
        client.query('select * from tenantry.remove_audit_logs($1, $2, $3, $4)', [tenant, LEAST_ID, before, most]),
      )
    await assert.rejects(remove(idIn(14)), { code: '42501' })
    await sealMonths(core, tenantId)
    await assert.rejects(remove(idIn(14)), { code: '42501' }, 'sealed is not given up')
    // Who can write to the chain's end alone cannot give anything up.
    const forge = 'update audit_chains set removed_to = $2, removal_height = $3 where tenant_id = $1'
    await asSuperuser(core, forge, [tenantId, idIn(1), 1])
    await assert.rejects(remove(idIn(14)), { code: '42501' }, 'a block of records gives nothing up')
    await asSuperuser(core, forge, [tenantId, null, null])

    await asSuperuser(core, 'update tenants set settings = \'{"audit_retention_days": 425}\' where id = $1', [tenantId])
    await removeExpiredOf(core, tenantId)
    assert.deepEqual(await monthsOf(core, tenantId), [
      [13, 5],
      [14, 5],
    ])
    const { removal_height } = await chainOf(core, tenantId)
    await asSuperuser(core, forge, [tenantId, idIn(1), removal_height])
    await assert.rejects(remove(idIn(13)), { code: '42501' }, 'the block gives up less')
    await asSuperuser(core, forge, [tenantId, idIn(14), removal_height])
    await assert.rejects(remove(idIn(13)), { code: '42501' })
    assert.deepEqual((await remove(idIn(14))).rows, [{ removed: 0, next_id: null }])
    const wrong: Parameters<typeof remove>[] = [[null], [idIn(14), 0], [idIn(14), null], [idIn(14), 10, null]]
    for (const args of wrong) await assert.rejects(remove(...args), { code: '22023' })
    await assert.rejects(remove(idIn(14), 10, newId()), { code: '42501' }, 'a tenant without a chain')
    assert.deepEqual(await monthsOf(core, tenantId), [
      [13, 5],
      [14, 5],
    ])
  })
})

describe(`${MANY} records`, () => {
  test('go in small steps while others write', { timeout: 300_000 }, async (context) => {
    const { tenantId } = ada
    await recordInMonths(core, tenantId, [14, 13], { count: MANY / 2 })
    await sealMonths(core, tenantId)
    const steps: number[] = []
    const stop = core.core.db.observe((sql, values) => {
      if (sql.includes('remove_audit_logs')) steps.push(Number(values[3]))
    })
    const start = performance.now()
    const finish = keepRecording(core, tenantId, 2)
    await removeExpiredOf(core, tenantId).finally(finish)
    const times = await finish()
    stop()
    const ms = performance.now() - start
    assert.deepEqual(await monthsOf(core, tenantId), [])
    assert.equal((await removalsOf(core, tenantId))[0]?.new_values.records, MANY)
    assert.equal(steps.length, MANY / 5_000)
    assert.ok(Math.max(...steps) <= 5_000)
    assert.ok(times.length > 0)
    const [median, slowest] = [times[times.length >> 1], times.at(-1)].map((time = 0) => time.toFixed(1))
    context.diagnostic(
      `removed in ${Math.round(ms)} ms; of ${times.length} writes meanwhile the median took ${median} ms, the slowest ${slowest} ms`,
    )
    assert.ok((await blocksOf(core, tenantId)).length < 5)
  })

  test('are removed by a run that repeats one that died', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [14, 13], { count: 6_000 })
    await sealMonths(core, tenantId)
    let calls = 0
    const stop = core.core.db.observe((sql) => {
      if (sql.includes('remove_audit_logs') && ++calls > 1) throw new Error('the process died')
    })
    await removeExpiredOf(core, tenantId)
    stop()
    const left = (await monthsOf(core, tenantId)).reduce((sum, [, count]) => sum + count, 0)
    assert.equal(left, 7_000)
    core.clock.advance(600_000)
    await drainJobs(core.core, tenantId)
    assert.deepEqual(await monthsOf(core, tenantId), [])
    assert.equal((await removalsOf(core, tenantId)).length, 1)
  })
})
