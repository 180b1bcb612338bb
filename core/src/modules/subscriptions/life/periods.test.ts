import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { DAYS } from '#kernel'
import { SEED } from '../../../testing/seed.ts'
import { addMonths, periodEnd } from './periods.ts'

const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const day = (text: string) => `${text}T22:30:15.250Z`
/** The ends of the first periods of a subscription. */
function ends(anchor: string, interval: 'month' | 'year', count: number): string[] {
  const found: string[] = []
  let start = day(anchor)
  for (let i = 0; i < count; i++) {
    start = periodEnd(day(anchor), interval, start)
    assert.equal(start.slice(10), day(anchor).slice(10), 'the time of day stays')
    found.push(start.slice(0, 10))
  }
  return found
}

describe('months', () => {
  it('keep the day that they were counted from, through short months', () => {
    assert.deepEqual(ends('2026-01-31', 'month', 6), [
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
      '2026-06-30',
      '2026-07-31',
    ])
    assert.deepEqual(ends('2026-12-30', 'month', 3), ['2027-01-30', '2027-02-28', '2027-03-30'])
  })

  it('know leap years', () => {
    assert.deepEqual(ends('2028-01-31', 'month', 2), ['2028-02-29', '2028-03-31'])
    assert.deepEqual(ends('2028-02-29', 'year', 5), [
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
      '2033-02-28',
    ])
    assert.deepEqual(ends('2028-02-29', 'month', 2), ['2028-03-29', '2028-04-29'])
    assert.equal(addMonths(day('2099-12-31'), 2).slice(0, 10), '2100-02-28')
    assert.equal(addMonths(day('1999-11-30'), 3).slice(0, 10), '2000-02-29')
  })

  it('are those of UTC, wherever the server stands', () => {
    const there = ['Pacific/Auckland', 'America/New_York', 'Pacific/Kiritimati', 'America/St_Johns', 'UTC']
    const seen = there.map((name) => {
      process.env.TZ = name
      // Both sides of the days on which clocks there are put forward and back, and of midnight.
      return [
        ...ends('2026-02-28', 'month', 14),
        addMonths('2026-03-08T06:59:59.999Z', 8),
        addMonths('2026-12-31T23:59:59.999Z', 2),
      ]
    })
    for (const each of seen) assert.deepEqual(each, seen[0])
  })

  it('always move on, by about a month or a year, and return to the day', () => {
    const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(moment, fc.constantFrom('month' as const, 'year' as const), (from, interval) => {
        const anchor = from.toISOString()
        let start = anchor
        for (let i = 1; i <= 30; i++) {
          const end = periodEnd(anchor, interval, start)
          const days = (Date.parse(end) - Date.parse(start)) / DAYS
          assert.ok(interval === 'month' ? days >= 28 && days <= 31 : days >= 365 && days <= 366, `${start} to ${end}`)
          assert.equal(end, addMonths(anchor, interval === 'month' ? i : 12 * i))
          start = end
        }
      }),
      { numRuns: 300, seed: SEED },
    )
  })

  it('find the end of any moment, not only of the first of a period', () => {
    assert.equal(periodEnd(day('2026-01-31'), 'month', day('2026-02-27')), day('2026-02-28'))
    assert.equal(periodEnd(day('2026-01-31'), 'month', day('2026-03-30')), day('2026-03-31'))
    assert.equal(periodEnd(day('2026-01-15'), 'year', day('2029-01-15')), day('2030-01-15'))
  })
})
