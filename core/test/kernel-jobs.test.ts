import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import { sql } from '#kernel'
import { backoffMs, LEASE_MS, runDueJobs } from '../src/kernel/jobs/run.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import {
  behaviour,
  countProbes,
  inTenant,
  managedJob,
  manualJob,
  plainJob,
  probe,
  tenantOf,
  until,
} from './probe-module.ts'

const running = new AbortController().signal

describe('jobs, worked on by hand', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe] })
  })
  after(() => test.close())
  afterEach(() => {
    behaviour.job = undefined
    mock.timers.reset()
    test.clock.start()
  })

  const waiting = (tenant: string) =>
    test.core.db.aside(() =>
      test.core.db.systemQuery('select * from tenant_jobs where tenant_id = $1 order by id', [tenantOf(tenant)]),
    )
  const runDue = (tenant: string) => drainJobs(test.core, tenantOf(tenant))

  it('runs a job after the commit of what enqueued it, and never after a rollback', async () => {
    await inTenant(test.core, 'a', async (ctx) => {
      await ctx.enqueue(managedJob, { label: 'committed' })
      await runDue('a')
      assert.equal(await countProbes(test.core, 'committed'), 0, 'it is not to be seen before the commit')
    })
    const failing = inTenant(test.core, 'a', async (ctx) => {
      await ctx.enqueue(managedJob, { label: 'rolled back' })
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    await runDue('a')
    assert.equal(await countProbes(test.core, 'committed'), 1)
    assert.equal(await countProbes(test.core, 'rolled back'), 0)
    assert.deepEqual(await waiting('a'), [])
  })

  it('refuses a payload of another shape', async () => {
    const enqueue = inTenant(test.core, 'a', (ctx) => ctx.enqueue(managedJob, { label: 5 as unknown as string })) // the wrong type is the point
    await assert.rejects(enqueue, /probe\.managed has another shape/)
  })

  it('commits the effect of a managed job and its removal together', async () => {
    await inTenant(test.core, 'b', (ctx) => ctx.enqueue(managedJob, { label: 'one fact' }))
    behaviour.job = async () => {
      // Seen from outside, neither has happened yet.
      assert.equal(await countProbes(test.core, 'one fact'), 0)
      assert.equal((await waiting('b')).length, 1)
      throw new Error('after the effect')
    }
    await runDue('b')
    assert.equal(await countProbes(test.core, 'one fact'), 0, 'the effect went with the failure')
    assert.equal((await waiting('b')).length, 1)
    behaviour.job = undefined
    test.clock.advance(10_000)
    await runDue('b')
    assert.equal(await countProbes(test.core, 'one fact'), 1)
    assert.deepEqual(await waiting('b'), [])
  })

  it('tries again with growing delays, and keeps what failed too often', async () => {
    behaviour.job = async () => {
      throw new Error('still broken')
    }
    test.clock.stop()
    await inTenant(test.core, 'c', (ctx) => ctx.enqueue(managedJob, { label: 'broken' }))
    for (let attempt = 1; attempt <= 3; attempt++) {
      await runDue('c')
      const [job] = await waiting('c')
      assert.equal(job?.attempts, attempt)
      assert.equal(job?.last_error, 'still broken')
      assert.equal(job?.status, attempt < 3 ? 'waiting' : 'failed')
      assert.equal(job?.locked_by, null)
      const delay = Date.parse(job?.run_at) - test.clock.ms()
      const wanted = 3 ** (attempt - 1) * 1_000
      assert.ok(delay > wanted * 0.8 && delay < wanted * 1.2, `${delay} ms after attempt ${attempt}`)
      test.clock.advance(delay - 1)
      await runDue('c')
      assert.equal((await waiting('c'))[0]?.attempts, attempt, 'not before its time')
      test.clock.advance(1)
    }
    await runDue('c')
    assert.equal((await waiting('c'))[0]?.attempts, 3, 'a failed job is kept, not run')
  })

  it('backs off to six hours at most', () => {
    for (let attempt = 1; attempt < 100; attempt++) {
      const wanted = Math.min(1_000 * 3 ** (attempt - 1), 6 * 3_600_000)
      const delay = backoffMs(attempt)
      assert.ok(delay >= wanted * 0.87 && delay <= wanted * 1.13, `${delay} for attempt ${attempt}`)
    }
  })

  it('renews the lease of a running job until the limit of the job', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    const { promise, resolve: end } = Promise.withResolvers<void>()
    behaviour.job = () => promise
    await inTenant(test.core, 'd', (ctx) => ctx.enqueue(manualJob, { label: 'long' }))
    const run = runDue('d')
    const lockedUntil = async () => Date.parse((await waiting('d'))[0]?.locked_until ?? 0) - test.clock.ms()
    await until('it has begun', async () => (await countProbes(test.core, 'long')) === 1)
    for (let passed = LEASE_MS / 3; passed <= manualJob.leaseMs; passed += LEASE_MS / 3) {
      test.clock.advance(LEASE_MS / 3)
      mock.timers.tick(LEASE_MS / 3)
      await until('the lease is renewed', async () => (await lockedUntil()) > LEASE_MS * 0.75)
      assert.equal(await runDueJobs(test.core, tenantOf('d'), running), false, 'nobody else gets it')
    }
    test.clock.advance(LEASE_MS)
    mock.timers.tick(LEASE_MS)
    behaviour.job = undefined
    await runDue('d')
    assert.equal(await countProbes(test.core, 'long'), 2, 'taken for hung, it is taken over')
    end()
    await run
    assert.deepEqual(await waiting('d'), [])
    assert.ok(test.logs.some((line) => line.includes('another process took over a job')))
  })

  it('gives up a job during which the process ended again and again', async () => {
    await inTenant(test.core, 'e', (ctx) => ctx.enqueue(managedJob, { label: 'poison' }))
    await test.core.db.systemQuery('update tenant_jobs set attempts = 7 where tenant_id = $1', [tenantOf('e')])
    behaviour.job = () => Promise.reject(new Error('an ordinary failure'))
    await runDue('e')
    const [failed] = await waiting('e')
    assert.equal(failed?.last_error, 'an ordinary failure', 'it is run a few times more than its attempts')
    await test.core.db.systemQuery("update tenant_jobs set status = 'waiting', run_at = created_at, attempts = 8")
    await runDue('e')
    const [poison] = await waiting('e')
    assert.equal(poison?.status, 'failed')
    assert.match(poison?.last_error, /process ended each time/)
  })

  it('adds one job for a dedupe key while one waits, and another once it runs', async () => {
    const enqueue = () =>
      inTenant(test.core, 'f', (ctx) => ctx.enqueue(managedJob, { label: 'same' }, { dedupeKey: 'k' }))
    await Promise.all([enqueue(), enqueue(), enqueue(), enqueue(), enqueue()])
    assert.equal((await waiting('f')).length, 1)
    behaviour.job = async () => {
      behaviour.job = undefined
      await test.core.db.aside(enqueue)
    }
    await runDue('f')
    assert.equal(await countProbes(test.core, 'same'), 2)
    const elsewhere = await inTenant(test.core, 'f2', (ctx) =>
      ctx.enqueue(managedJob, { label: 'x' }, { dedupeKey: 'k' }),
    )
    assert.equal(elsewhere, undefined)
    assert.equal((await waiting('f2')).length, 1, 'the key is the tenant’s own')
  })

  it('does not start a job before the commit of the last who asked for it by its key', async () => {
    await inTenant(test.core, 'g', (ctx) => ctx.enqueue(managedJob, { label: 'late' }, { dedupeKey: 'k' }))
    let seen: unknown[] = []
    behaviour.job = async (ctx) => {
      seen = await ctx.tx
        .selectFrom('probes')
        .select('label')
        .where('tenant_id', '=', ctx.tenantId)
        .where('label', '=', 'fact')
        .execute()
    }
    await inTenant(test.core, 'g', async (ctx) => {
      await ctx.tx
        .insertInto('probes')
        .values({
          tenant_id: ctx.tenantId,
          id: tenantOf('fact'),
          label: 'fact',
          created_at: ctx.clock.now(),
          updated_at: ctx.clock.now(),
        })
        .execute()
      await ctx.enqueue(managedJob, { label: 'late' }, { dedupeKey: 'k' })
      // The job is sent and not waited for; this one is answered after it.
      await sql`select 1`.execute(ctx.tx)
      await runDue('g')
      assert.equal((await waiting('g')).length, 1, 'it waits for this commit')
    })
    await runDue('g')
    assert.equal(seen.length, 1, 'so that it sees what was committed')
    assert.equal(await countProbes(test.core, 'late'), 1)
  })

  it('runs a delayed job at its time, the sooner of two with one key', async () => {
    test.clock.stop()
    const at = (ms: number) => new Date(test.clock.ms() + ms).toISOString()
    await inTenant(test.core, 'h', (ctx) =>
      ctx.enqueue(managedJob, { label: 'delayed' }, { runAt: at(3_600_000), dedupeKey: 'k' }),
    )
    await inTenant(test.core, 'h', (ctx) =>
      ctx.enqueue(managedJob, { label: 'delayed' }, { runAt: at(60_000), dedupeKey: 'k' }),
    )
    await inTenant(test.core, 'h', (ctx) =>
      ctx.enqueue(managedJob, { label: 'delayed' }, { runAt: at(7_200_000), dedupeKey: 'k' }),
    )
    test.clock.advance(59_999)
    await runDue('h')
    assert.equal(await countProbes(test.core, 'delayed'), 0)
    test.clock.advance(1)
    await runDue('h')
    assert.equal(await countProbes(test.core, 'delayed'), 1)
  })

  it('runs jobs of no tenant, and of nobody else’s tenant', async () => {
    const labels: string[] = []
    behaviour.job = async (ctx, label) => void labels.push(`${label} ${ctx.tenant}`)
    await test.core.run((ctx) => ctx.enqueue(plainJob, { label: 'system' }, { dedupeKey: 'k' }))
    await test.core.run((ctx) => ctx.enqueue(plainJob, { label: 'system' }, { dedupeKey: 'k' }))
    await inTenant(test.core, 'i', (ctx) => ctx.enqueue(plainJob, { label: 'tenant' }))
    await drainJobs(test.core, null)
    assert.deepEqual(labels, ['system null'])
    await runDue('j')
    await runDue('i')
    assert.deepEqual(labels, ['system null', `tenant ${tenantOf('i')}`])
    behaviour.job = () => Promise.reject(new Error('no'))
    await test.core.run((ctx) => ctx.enqueue(plainJob, { label: 'system' }))
    await drainJobs(test.core, null)
    const [left] = await test.core.db.systemQuery('select * from system_jobs')
    assert.equal(left?.last_error, 'no')
  })

  it('wakes a worker for delayed jobs when they are due, not before, though several share a wake', async () => {
    const base = Math.ceil(Date.now() / 1_000) * 1_000 + 60_000
    const ahead = test.clock.ms() - Date.now() // the queue goes by the machine's clock
    const wakes = () =>
      test.core.db.systemQuery<{ run_at: string }>(
        'select run_at from graphile_worker.jobs where starts_with(key, $1) order by run_at desc',
        [tenantOf('l')],
      )
    for (const ms of [0, 1, 100, 180, 240, 260, 900, 901]) {
      test.core.wake(tenantOf('l'), new Date(base + ms + ahead).toISOString())
      await until('a wake is sent that is due soon after the job', async () => {
        const late = Date.parse((await wakes())[0]?.run_at ?? '1970') - (base + ms)
        // A quarter of a second at most, but for a process that was kept from its work between two looks at the time.
        return late >= 10 && late <= 5_000
      })
    }
    assert.ok((await wakes()).length <= 5)
  })

  it('acts in the name of who enqueued it', async () => {
    const anna = { type: 'user' as const, id: tenantOf('anna'), label: 'Anna', impersonatorId: null }
    let actor: unknown
    behaviour.job = async (ctx) => {
      actor = ctx.actor
    }
    await inTenant(test.core, 'k', (ctx) => ctx.as(anna).enqueue(plainJob, { label: 'named' }))
    await runDue('k')
    assert.deepEqual(actor, anna)
  })
})
