import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ctx, defineJob, defineModule, Type } from '#kernel'
import { LEASE_MS, runDueJobs } from '../src/kernel/jobs/run.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { inTenant, tenantOf, until } from './probe-module.ts'

let calls: { labels: string[]; tenant: string | null; actor: string }[] = []
let behaviour: ((ctx: Ctx, labels: string[]) => Promise<Map<number, unknown> | undefined>) | undefined

const crowdJob = defineJob('crowd.gather', {
  payload: Type.Object({ label: Type.String() }),
  transaction: 'manual',
  maxAttempts: 3,
  together: {
    max: 3,
    handler: async (ctx, payloads) => {
      const labels = payloads.map(({ label }) => String(label))
      calls.push({ labels, tenant: ctx.tenant, actor: ctx.actor.label })
      return (await behaviour?.(ctx, labels)) ?? new Map()
    },
  },
})
const strayJob = defineJob('crowd.stray', { payload: Type.Object({}), handler: async () => {} })
const crowd = defineModule({ name: 'crowd', jobs: [crowdJob, strayJob] })

describe('jobs of a kind that run together', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [crowd] })
  })
  after(() => test.close())
  afterEach(async () => {
    mock.timers.reset()
    behaviour = undefined
    calls = []
    await test.core.db.systemQuery('delete from tenant_jobs returning 1')
  })

  const enqueue = (tenant: string, labels: string) =>
    inTenant(test.core, tenant, async (ctx) => {
      for (const label of labels) await ctx.enqueue(crowdJob, { label })
    })
  const runDue = (tenant: string) => drainJobs(test.core, tenantOf(tenant))
  const left = () =>
    test.core.db.systemQuery<{ label: string; attempts: number; last_error: string | null; status: string }>(
      `select payload->>'label' as label, attempts, last_error, status from tenant_jobs where task = 'crowd.gather' order by id`,
    )
  const labels = () => calls.map((call) => call.labels.toSorted().join(''))

  it('are handed over in one call, so many at most, those of one tenant, in nobody’s name', async () => {
    await enqueue('a', 'abcd')
    await inTenant(test.core, 'a', (ctx) => ctx.enqueue(strayJob, {}))
    await enqueue('a', 'e')
    await enqueue('b', 'f')
    await runDue('a')
    assert.deepEqual(labels(), ['abc', 'de'])
    await runDue('b')
    assert.deepEqual(labels(), ['abc', 'de', 'f'])
    assert.deepEqual(
      calls.map(({ tenant }) => tenant),
      [tenantOf('a'), tenantOf('a'), tenantOf('b')],
    )
    assert.ok(calls.slice(0, 2).every(({ actor }) => actor === 'system'))
    assert.deepEqual(await left(), [])
  })

  it('run alone when they fail together, and only what fails alone is tried again', async () => {
    await enqueue('a', 'abc')
    behaviour = async (_ctx, some) => {
      if (some.includes('b')) throw new Error('b is broken')
      return undefined
    }
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels().slice(0, 4), ['abc', 'a', 'b', 'c'])
    assert.deepEqual(await left(), [{ label: 'b', attempts: 1, last_error: 'b is broken', status: 'waiting' }])
    for (let attempt = 0; attempt < 2; attempt++) {
      test.clock.advance(60_000)
      await runDue('a')
    }
    assert.deepEqual(await left(), [{ label: 'b', attempts: 3, last_error: 'b is broken', status: 'failed' }])
  })

  it('are each tried again that failed, and no other, and alone from then on', async () => {
    await enqueue('a', 'abc')
    behaviour = async (_ctx, some) =>
      new Map(some.flatMap((label, at) => (label === 'b' ? [[at, new Error('no b')]] : [])))
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels(), ['abc'])
    assert.deepEqual(await left(), [{ label: 'b', attempts: 1, last_error: 'no b', status: 'waiting' }])
    await enqueue('a', 'de')
    test.clock.advance(60_000)
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels().toSorted(), ['abc', 'b', 'de'])
    assert.deepEqual(await left(), [{ label: 'b', attempts: 2, last_error: 'no b', status: 'waiting' }])
  })

  it('are all tried again when each of them failed', async () => {
    await enqueue('a', 'ab')
    behaviour = async (_ctx, some) => new Map(some.map((label, at) => [at, new Error(`no ${label}`)]))
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels(), ['ab'])
    assert.deepEqual(
      (await left()).map(({ attempts, last_error }) => ({ attempts, last_error })),
      [
        { attempts: 1, last_error: 'no a' },
        { attempts: 1, last_error: 'no b' },
      ],
    )
  })

  it('are held until it is their turn when they have to run alone', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    await enqueue('a', 'abc')
    const { promise, resolve: end } = Promise.withResolvers<undefined>()
    behaviour = async (_ctx, some) => {
      if (some.length > 1) throw new Error('not together')
      return some[0] === 'a' ? promise : undefined
    }
    const run = runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    await until('the first runs alone', () => labels().includes('a'))
    const leftMs = async () => {
      const rows = await test.core.db.systemQuery<{ locked_until: string | null }>(
        "select locked_until from tenant_jobs where payload->>'label' <> 'a'",
      )
      return rows.map(({ locked_until }) => Date.parse(locked_until ?? '') - test.clock.ms())
    }
    try {
      for (let third = 0; third < 4; third++) {
        test.clock.advance(LEASE_MS / 3)
        mock.timers.tick(LEASE_MS / 3)
        await until('the others are held', async () => (await leftMs()).every((ms) => ms > LEASE_MS * 0.75))
      }
    } finally {
      mock.timers.reset()
      end(undefined)
      await run
    }
    await runDue('a')
    assert.deepEqual(labels().slice(1), ['a', 'b', 'c'])
    assert.deepEqual(await left(), [])
  })

  it('are left to the next turn when they have to run alone and this one is over', async () => {
    await enqueue('a', 'abc')
    const stopping = new AbortController()
    behaviour = async (_ctx, some) => {
      if (some.length > 1) throw new Error('not together')
      stopping.abort()
      return undefined
    }
    await runDueJobs(test.core, tenantOf('a'), stopping.signal)
    assert.deepEqual(labels(), ['abc', 'a'])
    await runDue('a')
    assert.deepEqual(labels(), ['abc', 'a', 'b', 'c'])
    assert.deepEqual(await left(), [])
  })

  it('do not end with one that never comes to its end', async () => {
    await enqueue('a', 'abc')
    // As when its process is killed each time: nothing is written down.
    const hang = Promise.withResolvers<never>()
    const stopping = new AbortController()
    const runs: Promise<unknown>[] = []
    behaviour = async (_ctx, some) => (some.includes('b') ? hang.promise : undefined)
    for (let run = 0; run < 6 || (run < 300 && (await left()).length > 1); run++) {
      runs.push(runDueJobs(test.core, tenantOf('a'), stopping.signal))
      await sleep(60)
      test.clock.advance(24 * 3_600_000)
      if (run === 4) await enqueue('a', 'de')
    }
    const rest = await left()
    stopping.abort()
    hang.reject(new Error('at last'))
    await Promise.allSettled(runs)
    assert.deepEqual(
      rest.map(({ label }) => label),
      ['b'],
    )
    assert.deepEqual([...new Set(labels().filter((each) => each.includes('b')))], ['abc', 'b'])
  })

  it('run alone when one of them is of another shape than declared', async () => {
    await enqueue('a', 'abc')
    await test.core.db.systemQuery(
      `update tenant_jobs set payload = '{"label": 5}' where payload->>'label' = 'b' returning 1`,
    )
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels(), ['a', 'c'])
    assert.match((await left())[0]?.last_error ?? '', /another shape/)
  })

  it('are none that another process holds, nor that are not due', async () => {
    await enqueue('a', 'abc')
    await inTenant(test.core, 'a', (ctx) =>
      ctx.enqueue(crowdJob, { label: 'd' }, { runAt: new Date(test.clock.ms() + 3_600_000).toISOString() }),
    )
    await test.core.db.systemQuery(
      `update tenant_jobs set locked_by = gen_random_uuid(), locked_until = $1 where payload->>'label' = 'b' returning 1`,
      [new Date(test.clock.ms() + LEASE_MS).toISOString()],
    )
    await runDue('a')
    assert.deepEqual(labels(), ['ac'])
    assert.deepEqual(
      (await left()).map(({ label }) => label),
      ['b', 'd'],
    )
  })

  it('are removed each by the token of this run alone: what was taken over stays', async () => {
    await enqueue('a', 'ab')
    behaviour = () =>
      test.core.db.aside(async () => {
        behaviour = undefined
        await test.core.db.systemQuery(
          `update tenant_jobs set locked_by = gen_random_uuid(), locked_until = $1 where payload->>'label' = 'b' returning 1`,
          [new Date(test.clock.ms() + LEASE_MS).toISOString()],
        )
        return undefined
      })
    await runDueJobs(test.core, tenantOf('a'), new AbortController().signal)
    assert.deepEqual(labels(), ['ab'], 'what another process holds is not run here once more')
    assert.deepEqual(
      (await left()).map(({ label }) => label),
      ['b'],
    )
  })
})
