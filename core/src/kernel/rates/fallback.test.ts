import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { afterEach, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { until } from '../../testing/until.ts'
import { type Fallback, withFallback } from './fallback.ts'
import type { Counter, RateStore, Taken } from './store.ts'

const counter: Counter = { policy: 'user', subject: 'ada', max: 3, windowMs: 60_000 }
const taken = (used: number): Taken => ({ isAllowed: true, counts: [{ used, leftMs: 1_000 }] })
const used = async (of: Fallback) => (await of.take([counter])).counts[0]?.used

let fallback: Fallback | undefined
afterEach(async () => {
  await fallback?.close()
  fallback = undefined
})

/** A store that does what a test tells it to. */
function told() {
  const state = {
    take: (async () => taken(100)) as RateStore['take'],
    probe: async (): Promise<void> => undefined,
    dropped: 0,
    asked: 0,
    lost: (_error: unknown): void => undefined,
  }
  const store: RateStore = {
    take: (counters) => {
      state.asked++
      return state.take(counters)
    },
    probe: () => state.probe(),
    drop: () => {
      state.dropped++
    },
    onLost: (call) => {
      state.lost = call
    },
  }
  return { state, store }
}

async function started(options: Parameters<typeof withFallback>[1] = {}) {
  const { state, store } = told()
  const changes: [boolean, unknown][] = []
  fallback = withFallback(store, {
    retryMs: 20,
    onChange: (isShared, reason) => changes.push([isShared, (reason as Error | null)?.message]),
    ...options,
  })
  await fallback.start()
  return { state, fallback, changes }
}

const hanging = () => new Promise<Taken>(() => undefined)

describe('a store that fails', () => {
  it('is replaced by memory for the very request that it fails, and told of once', async () => {
    const { state, fallback, changes } = await started({ retryMs: 60_000 })
    assert.equal(await used(fallback), 100)
    state.take = async () => {
      throw new Error('gone')
    }
    assert.equal(await used(fallback), 1)
    assert.equal(await used(fallback), 2)
    assert.deepEqual(changes, [[false, 'gone']])
    assert.equal(fallback.isShared, false)
  })

  it('may throw instead of rejecting', async () => {
    const { state, fallback } = await started({ retryMs: 60_000 })
    state.take = () => {
      throw new Error('gone')
    }
    assert.equal(await used(fallback), 1)
  })

  it('makes nobody wait after the first one that it left waiting', { timeout: 60_000 }, async () => {
    const { state, fallback, changes } = await started({ patienceMs: 50, retryMs: 60_000 })
    state.take = hanging
    const together = await Promise.all(Array.from({ length: 5 }, () => fallback.take([counter])))
    assert.deepEqual(
      together.map(({ isAllowed }) => isAllowed),
      [true, true, true, false, false],
    )
    const asked = state.asked
    for (let sent = 0; sent < 20; sent++) assert.equal((await fallback.take([counter])).isAllowed, false)
    assert.equal(state.asked, asked, 'nobody asks it while it is away')
    assert.equal(state.dropped, 1)
    assert.deepEqual(changes, [[false, 'No answer within 50 ms']])
  })

  it('is asked again quietly until it answers, and then counts again', async () => {
    const { state, fallback, changes } = await started()
    state.take = hanging
    state.probe = async () => {
      throw new Error('still gone')
    }
    state.lost(new Error('gone'))
    assert.equal(await used(fallback), 1)
    await until('it was asked again', () => state.dropped >= 4)
    assert.equal(changes.length, 1)
    state.take = async () => taken(7)
    state.probe = async () => undefined
    await until('it counts again', () => fallback.isShared)
    assert.equal(await used(fallback), 7)
    assert.deepEqual(changes, [
      [false, 'gone'],
      [true, undefined],
    ])
  })

  it('and comes and goes multiplies nothing: memory goes on with its counts at the next failure', async () => {
    const { state, fallback } = await started()
    for (const expected of [1, 2, 3, 3]) {
      state.lost(new Error('gone'))
      assert.equal(await used(fallback), expected)
      await until('it counts again', () => fallback.isShared)
    }
  })

  it('is not returned to while it answers later than anybody waits', async () => {
    const { state, fallback, changes } = await started({ patienceMs: 100, probeMs: 60_000 })
    let [asked, late] = [0, true]
    state.probe = async () => {
      asked++
      if (late) await new Promise((resolve) => setTimeout(resolve, 500))
    }
    state.lost(new Error('slow'))
    await until('it was asked three times', () => asked >= 3)
    assert.deepEqual([fallback.isShared, changes.length], [false, 1])
    late = false
    await until('it counts again', () => fallback.isShared)
  })

  it('that cannot be reached at the start lets the server start, and counts once it can', async () => {
    const { state, store } = told()
    state.probe = async () => {
      throw new Error('not there')
    }
    fallback = withFallback(store, { retryMs: 20 })
    await fallback.start()
    assert.equal(await used(fallback), 1)
    assert.equal(state.asked, 0)
    state.probe = async () => undefined
    await until('it counts again', () => fallback?.isShared === true)
  })

  it('that hangs while it is connected to delays the start for so long and no longer', async () => {
    const { state, store } = told()
    state.probe = () => new Promise(() => undefined)
    fallback = withFallback(store, { probeMs: 30, retryMs: 60_000 })
    await fallback.start()
    assert.equal(await used(fallback), 1)
  })

  it('is not given up for what this process was too busy to read', async () => {
    const { state, fallback, changes } = await started({ patienceMs: 30, retryMs: 60_000 })
    // Answered beside this process, and read by it like an answer from a socket.
    state.take = () => stat(import.meta.filename).then(() => taken(9))
    // From here on timers come before what can be read.
    await nextTurn()
    const asked = fallback.take([counter])
    const busyUntil = performance.now() + 120
    while (performance.now() < busyUntil);
    assert.equal((await asked).counts[0]?.used, 9)
    assert.deepEqual(changes, [])
  })

  it('answers whoever waits when it is closed', async () => {
    const { state, fallback } = await started()
    state.take = hanging
    const asked = fallback.take([counter])
    await fallback.close()
    assert.equal((await asked).isAllowed, true)
  })

  it('is told of by a check', async () => {
    const { state, fallback } = await started()
    await fallback.check()
    state.probe = async () => {
      throw new Error('gone')
    }
    await assert.rejects(fallback.check(), /gone/)
  })
})
