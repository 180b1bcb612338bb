import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import pg from 'pg'
import { sweepJobs } from '../src/kernel/jobs/worker.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, countProbes, inTenant, managedJob, probe, tenantOf, until } from './probe-module.ts'

describe('jobs, worked on by workers', () => {
  let test: TestCore
  let second: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe], worker: true, env: { WORKER_CONCURRENCY: '4' } })
    second = await createTestCore({ modules: [probe], worker: true, database: test.database })
  })
  after(async () => {
    await second.close()
    await test.close()
  })
  afterEach(() => {
    behaviour.job = undefined
  })

  it('runs each managed job once though two processes work', async () => {
    for (let batch = 0; batch < 20; batch++) {
      await inTenant(test.core, `many${batch % 3}`, async (ctx) => {
        for (let i = 0; i < 20; i++) await ctx.enqueue(managedJob, { label: `many ${batch} ${i}` })
      })
    }
    const left = () => test.core.db.systemQuery('select 1 from tenant_jobs')
    await until('all are done', async () => (await left()).length === 0)
    const rows = await test.core.db.systemQuery(
      "select label, count(*)::int as n from probes where label like 'many %' group by 1",
    )
    assert.equal(rows.length, 400)
    assert.ok(rows.every(({ n }) => n === 1))
  })

  it('wakes a worker in time for delayed jobs that share a moment', async () => {
    const base = Math.ceil(test.clock.ms() / 1_000) * 1_000 + 1_000
    for (const ms of [0, 100, 180, 240, 260, 900]) {
      const runAt = new Date(base + ms).toISOString()
      await inTenant(test.core, 'later', (ctx) => ctx.enqueue(managedJob, { label: 'at its time' }, { runAt }))
    }
    await until(
      'all ran',
      async () => (await countProbes(test.core, 'at its time')) === 6,
      // Before the sweep, most of the time, which would find them too.
      base + 900 - test.clock.ms() + 25_000,
    )
  })
})

describe('the sweep', () => {
  it('finds what no wake told of', async (context) => {
    // Nothing works here yet: a worker sweeps by its schedule too.
    const test = await createTestCore({ modules: [probe], env: { WORKER_CONCURRENCY: '4' } })
    context.after(() => test.close())
    const wakes = () =>
      test.core.db.systemQuery('select 1 from graphile_worker.jobs where starts_with(key, $1)', [tenantOf('swept')])
    await inTenant(test.core, 'swept', async (ctx) => {
      // What the crash after a commit leaves: the row, and no hint.
      const { wake } = test.core
      Object.assign(test.core, { wake: () => {} })
      await ctx.enqueue(managedJob, { label: 'swept' })
      ctx.afterCommit(() => Object.assign(test.core, { wake }))
    })
    await sleep(300)
    assert.deepEqual(await wakes(), [])
    await sweepJobs(test.core)
    await until('a wake is there', async () => (await wakes()).length === 1)
    await test.core.startWorker()
    await until('it ran', async () => (await countProbes(test.core, 'swept')) === 1)
  })
})

describe('a single worker with four hands', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe], worker: true, env: { WORKER_CONCURRENCY: '4' } })
  })
  after(() => test.close())
  afterEach(() => {
    behaviour.job = undefined
  })

  it('lets a tenant with one job pass a tenant with 20,000', async () => {
    // However fast the machine is, four hands work on the backlog for 100 seconds.
    behaviour.job = (_ctx, label) => (label === 'backlog' ? sleep(20) : Promise.resolve())
    const now = test.clock.now()
    await test.core.db.systemQuery(
      `insert into tenant_jobs (tenant_id, id, task, payload, origin, max_attempts, run_at, created_at)
       select $1, gen_random_uuid(), 'probe.managed', '{"label": "backlog"}', $2, 3, $3, $3 from generate_series(1, 20000)`,
      [
        tenantOf('big'),
        JSON.stringify({
          actor: { type: 'system', id: null, label: 'system', impersonatorId: null },
          storeId: null,
          requestId: null,
        }),
        now,
      ],
    )
    // Enough of them that the big tenant has all four hands.
    for (let i = 0; i < 60; i++) test.core.wake(tenantOf('big'), now)
    const worked = () => countProbes(test.core, 'backlog')
    await until('the backlog is worked on', async () => (await worked()) > 200)
    await sleep(1_500)
    for (let i = 0; i < 3; i++) {
      const label = `small ${i}`
      const before = await worked()
      await inTenant(test.core, `small${i}`, (ctx) => ctx.enqueue(managedJob, { label }))
      await until('the single job is done', async () => (await countProbes(test.core, label)) === 1)
      // Four hands do 200 of the others in a second, which is the longest that a tenant keeps one; wakes wait before it.
      const passed = (await worked()) - before
      assert.ok(passed < 1_000, `${passed} of the others were done first`)
    }
    const [left] = await test.core.db.systemQuery('select count(*)::int as n from tenant_jobs where tenant_id = $1', [
      tenantOf('big'),
    ])
    assert.ok(left?.n > 5_000, 'the backlog is still long')
    await test.core.db.systemQuery('delete from tenant_jobs where tenant_id = $1', [tenantOf('big')])
  })

  it('goes on after every connection was cut, as when the database restarts', async () => {
    const superuser = new pg.Client({ connectionString: test.database.superuserUrl })
    await superuser.connect()
    await superuser.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await superuser.end()
    await inTenant(test.core, 'cut', (ctx) => ctx.enqueue(managedJob, { label: 'after the cut' }))
    // Within a second or two, unless the wake was cut too: then the sweep of the next minute finds the job.
    await until('it ran', async () => (await countProbes(test.core, 'after the cut')) === 1, 120_000)
  })
})

describe('closing a core that works', () => {
  it('finishes what runs, gives back the rest, and logs no error', async (context) => {
    const env = { WORKER_CONCURRENCY: '4' }
    const test = await createTestCore({ modules: [probe], worker: true, env })
    const second = await createTestCore({ modules: [probe], database: test.database, env })
    context.after(async () => {
      await second.close()
      await test.close()
    })
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
    behaviour.job = () => held
    for (let i = 0; i < 10; i++)
      await inTenant(test.core, 'drain', (ctx) => ctx.enqueue(managedJob, { label: 'drained' }))
    await until('some run', async () => {
      const rows = await test.core.db.systemQuery('select 1 from tenant_jobs where locked_until is not null')
      return rows.length >= 2
    })
    await test.app.close()
    const closing = test.core.close()
    // Until the worker was told; with the server closed nothing else has to be waited for before that.
    for (let turns = 0; turns < 100; turns++) await turn()
    goOn()
    await closing
    const left = await second.core.db.systemQuery<{ locked_by: string | null }>('select * from tenant_jobs')
    const done = await countProbes(second.core, 'drained')
    assert.ok(done >= 2, 'what ran was finished')
    assert.equal(done + left.length, 10, 'none is lost, none is done twice')
    assert.ok(left.length > 0 && left.every(({ locked_by }) => locked_by === null), 'the rest is free at once')
    behaviour.job = undefined
    await second.core.startWorker()
    await until('the rest is done', async () => (await countProbes(second.core, 'drained')) === 10)
    const errors = [...test.logs, ...second.logs].filter((line) => JSON.parse(line).level >= 40)
    assert.deepEqual(errors, [])
  })
})
