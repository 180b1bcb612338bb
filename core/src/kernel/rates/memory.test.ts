import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryRates } from './memory.ts'
import type { Counter } from './store.ts'

const counter = (fields: Partial<Counter> = {}): Counter => ({
  policy: 'user',
  subject: 'ada',
  max: 3,
  windowMs: 60_000,
  ...fields,
})

/** A clock that only runs when told to. */
function stopped() {
  let at = 1_000
  return { now: () => at, pass: (ms: number) => (at += ms) }
}

describe('counts in memory', () => {
  it('let through as many as the maximum in a window, which begins with the first request', () => {
    const clock = stopped()
    const rates = createMemoryRates({ now: clock.now })
    const taken = Array.from({ length: 5 }, () => rates.take([counter()]))
    assert.deepEqual(
      taken.map(({ isAllowed, counts }) => [isAllowed, counts[0]?.used]),
      [
        [true, 1],
        [true, 2],
        [true, 3],
        [false, 3],
        [false, 3],
      ],
    )
    clock.pass(59_999)
    assert.deepEqual(rates.take([counter()]), { isAllowed: false, counts: [{ used: 3, leftMs: 1 }] })
    clock.pass(1)
    assert.deepEqual(rates.take([counter()]), { isAllowed: true, counts: [{ used: 1, leftMs: 60_000 }] })
  })

  it('use up nothing of the other counts of a request that is refused', () => {
    const rates = createMemoryRates()
    const tenant = counter({ policy: 'tenant', subject: 'acme', max: 100 })
    for (let sent = 0; sent < 50; sent++) rates.take([counter(), tenant])
    assert.equal(rates.take([tenant]).counts[0]?.used, 4)
  })

  it('keep subjects and policies apart', () => {
    const rates = createMemoryRates()
    for (let sent = 0; sent < 3; sent++) rates.take([counter()])
    assert.equal(rates.take([counter({ subject: 'ben' })]).isAllowed, true)
    assert.equal(rates.take([counter({ policy: 'key' })]).isAllowed, true)
    assert.equal(rates.take([counter()]).isAllowed, false)
  })

  it('let nothing through where the maximum is 0', () => {
    assert.deepEqual(createMemoryRates().take([counter({ max: 0 })]), {
      isAllowed: false,
      counts: [{ used: 0, leftMs: 60_000 }],
    })
  })

  it('stay bounded under a flood of subjects, which drops nothing of another policy', () => {
    const rates = createMemoryRates({ maxCounts: 100 })
    for (let sent = 0; sent < 3; sent++) rates.take([counter()])
    for (let at = 0; at < 10_000; at++) {
      rates.take([counter({ policy: 'public', subject: `address ${at}` })])
      assert.ok(rates.size <= 101)
    }
    assert.equal(rates.take([counter()]).isAllowed, false)
  })

  it('forget windows that have ended as new ones begin', () => {
    const clock = stopped()
    const rates = createMemoryRates({ now: clock.now })
    for (let at = 0; at < 1_000; at++) rates.take([counter({ subject: `early ${at}` })])
    clock.pass(60_000)
    for (let at = 0; at < 600; at++) rates.take([counter({ subject: `late ${at}` })])
    assert.equal(rates.size, 600)
  })

  it('heed no clock that can be set', (t) => {
    const rates = createMemoryRates()
    for (let sent = 0; sent < 3; sent++) rates.take([counter()])
    for (const now of [Date.now() + 7_200_000, Date.now() - 7_200_000]) {
      t.mock.timers.enable({ apis: ['Date'], now })
      const { isAllowed, counts } = rates.take([counter()])
      assert.equal(isAllowed, false)
      assert.ok(counts[0]!.leftMs > 0 && counts[0]!.leftMs <= 60_000)
      t.mock.timers.reset()
    }
  })

  it('begin no window anew while it runs, however many others begin', () => {
    const clock = stopped()
    const rates = createMemoryRates({ now: clock.now })
    rates.take([counter({ subject: 'first' })])
    clock.pass(30_000)
    for (let at = 0; at < 500; at++) rates.take([counter({ subject: `other ${at}` })])
    assert.equal(rates.take([counter({ subject: 'first' })]).counts[0]?.used, 2)
  })
})
