import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { everyTenant, MINUTES, type Sweep } from '#kernel'
import { runUpkeep } from '../src/kernel/jobs/upkeep.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { probe, tenantOf, until, writeProbe } from './probe-module.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const TENANTS = NAMES.map(tenantOf)
const NAME = 'probe.sweep'

describe('a sweep over tenants', () => {
  let test: TestCore
  let second: TestCore
  let worked: string[] = []
  let onWork: (tenantId: string) => Promise<unknown> = async () => {}

  before(async () => {
    test = await createTestCore({ modules: [probe], env: { DATABASE_POOL_SIZE: '1' } })
    second = await createTestCore({ modules: [probe], env: { DATABASE_POOL_SIZE: '1' }, database: test.database })
  })
  after(async () => {
    await second.close()
    await test.close()
  })
  afterEach(async () => {
    onWork = async () => {}
    worked = []
    await test.core.db.systemQuery('delete from runs')
    await test.core.db.systemQuery('delete from probes')
  })

  const sweep = (pages = 2): Sweep<{ tenant_id: string }> => ({
    name: NAME,
    list: async (_tx, { after }) =>
      TENANTS.filter((id) => after === null || id > after)
        .slice(0, pages)
        .map((tenant_id) => ({ tenant_id })),
    work: async (ctx, { tenant_id }) => {
      assert.equal(ctx.tenantId, tenant_id)
      await writeProbe(ctx, 'swept')
      await onWork(tenant_id)
      worked.push(tenant_id)
    },
  })
  const counted = async () => {
    const { text } = await test.request('GET', '/metrics')
    return Object.fromEntries(
      [...text.matchAll(/tenantry_sweep_tenants_total\{sweep="probe.sweep",result="(\w+)"\} (\d+)/g)].map(
        ([, result, count]) => [result, Number(count)],
      ),
    )
  }

  it('comes to each tenant once, in a transaction of that tenant alone', async () => {
    await everyTenant(test.core, sweep())
    assert.deepEqual(worked, TENANTS)
    const rows = await test.core.db.systemQuery('select tenant_id from probes order by 1')
    assert.deepEqual(
      rows.map(({ tenant_id }) => tenant_id),
      TENANTS,
    )
  })

  it('passes over a tenant that fails, whose work is undone, and tells of it', async () => {
    const failing = TENANTS[2]
    const before = await counted()
    onWork = async (id) => {
      if (id === failing) throw new Error('this one is broken')
    }
    await everyTenant(test.core, sweep())
    assert.deepEqual(
      worked,
      TENANTS.filter((id) => id !== failing),
    )
    assert.equal((await test.core.db.systemQuery('select 1 from probes where tenant_id = $1', [failing])).length, 0)
    assert.ok(test.logs.some((line) => line.includes('this one is broken') && line.includes(String(failing))))
    const after = await counted()
    assert.equal((after.failed ?? 0) - (before.failed ?? 0), 1)
    assert.equal((after.done ?? 0) - (before.done ?? 0), TENANTS.length - 1)
  })

  it('holds no transaction over work that talks to the outside, and begins again what a stop has cut short', async () => {
    const closing = await createTestCore({
      modules: [probe],
      env: { DATABASE_POOL_SIZE: '1' },
      database: test.database,
    })
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
    let isFirst = true
    const outside = (): Sweep<{ tenant_id: string }> => ({
      ...sweep(),
      transaction: 'manual',
      work: async (ctx, { tenant_id }, stopping) => {
        assert.throws(() => ctx.tx)
        // With a pool of one this would wait for ever inside of another one.
        await ctx.transaction((ctx) => writeProbe(ctx, 'swept'))
        if (tenant_id === TENANTS[1] && isFirst) {
          isFirst = false
          reach()
          await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }))
          stopping.throwIfAborted()
        }
        worked.push(tenant_id)
      },
    })
    const cut = everyTenant(closing.core, outside())
    await reached
    await Promise.all([closing.close(), assert.rejects(cut, { name: 'Interrupted' })])
    assert.deepEqual(worked, TENANTS.slice(0, 1))
    assert.doesNotMatch(closing.logs.join(''), /the work of a sweep on one tenant failed/)
    await everyTenant(test.core, outside())
    assert.deepEqual(worked.slice(-TENANTS.length + 1), TENANTS.slice(1))
  })

  it('goes on in another process where one has died, once its claim is over', async (t) => {
    const { promise: never, reject: end } = Promise.withResolvers<void>()
    t.after(() => end(new Error('over')))
    let reached = false
    onWork = (id) => {
      if (id !== TENANTS[3]) return Promise.resolve()
      reached = true
      return never
    }
    const dying = everyTenant(test.core, sweep())
    await until('it has come to the fourth', () => reached)
    // What a process that is killed here leaves: its claim, and how far it had come.
    await test.core.db.systemQuery(`update runs set position = $1 where name = $2`, [TENANTS[2], `sweep ${NAME}`])
    const [claim] = await test.core.db.systemQuery('select * from runs where name = $1', [`sweep ${NAME}`])
    worked = []
    onWork = async () => {}
    await everyTenant(second.core, sweep())
    assert.deepEqual(worked, [], 'while the claim lasts nobody else is at it')
    second.clock.advance(61_000)
    await everyTenant(second.core, sweep())
    assert.deepEqual(worked, TENANTS.slice(3))
    assert.ok(claim?.claimed_by)
    end(new Error('killed'))
    await dying.catch(() => {})
    second.clock.advance(-61_000)
    worked = []
    await everyTenant(second.core, sweep())
    assert.deepEqual(worked, TENANTS, 'the next begins at the beginning')
  })

  it('is not stopped by the claim of a clock that was wrong', async () => {
    await test.core.db.systemQuery(
      `insert into runs (name, claimed_by, claimed_until, done_at) values ($1, gen_random_uuid(), now() + interval '800 days', now())`,
      [`sweep ${NAME}`],
    )
    await everyTenant(test.core, sweep())
    assert.deepEqual(worked, TENANTS)
  })

  it('is done by one of two processes at a time', async () => {
    let running = 0
    let most = 0
    onWork = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 20))
      running--
    }
    await Promise.all([test, second, test, second].map((each) => everyTenant(each.core, sweep())))
    assert.equal(most, 1)
    // Who comes when it is over begins anew; nobody joins in.
    assert.ok(worked.length > 0 && worked.every((id, index) => id === TENANTS[index % TENANTS.length]), `${worked}`)
  })

  it('refuses a list that does not ascend', async () => {
    const back = { ...sweep(), list: async () => [{ tenant_id: TENANTS[0] ?? '' }] }
    await assert.rejects(everyTenant(test.core, back), /must ascend by tenant_id/)
  })

  it('cannot be begun inside of a transaction', async () => {
    const nested = test.core.run((ctx) => everyTenant(ctx, sweep()))
    await assert.rejects(nested, /db.systemQuery was called inside an open transaction/)
  })

  it('is interrupted by a close, and left for another process to go on with', async () => {
    const closing = new AbortController()
    onWork = async (id) => {
      if (id === TENANTS[1]) closing.abort()
    }
    const core = { ...second.core, stopping: closing.signal }
    await assert.rejects(everyTenant(core, sweep()), /is being closed/)
    assert.deepEqual(worked, TENANTS.slice(0, 2))
    const [left] = await test.core.db.systemQuery('select * from runs where name = $1', [`sweep ${NAME}`])
    assert.ok(left?.claimed_by && Date.parse(left.claimed_until) <= test.clock.ms())
    onWork = async () => {}
    await everyTenant(test.core, sweep())
    assert.deepEqual(new Set(worked), new Set(TENANTS), 'none is left out')
  })

  it('of a schedule that was interrupted is begun again within the minute', async () => {
    const [schedule] = test.core.registry.schedules
    assert.equal(schedule, undefined, 'the probe has none')
    const name = 'probe.nightly'
    const handle = async () => {}
    const core = { ...test.core, registry: { ...test.core.registry, schedules: [{ name, cron: '0 3 * * *', handle }] } }
    await test.core.db.systemQuery(
      'insert into runs (name, claimed_by, claimed_until, done_at) values ($1, gen_random_uuid(), $2, $2)',
      [name, new Date(test.clock.ms() - MINUTES).toISOString()],
    )
    await runUpkeep(core)
    const jobs = await test.core.db.systemQuery(
      "select 1 from graphile_worker.jobs where task_identifier = $1 and run_at <= now() + interval '1 second'",
      [name],
    )
    assert.equal(jobs.length, 1)
  })
})
