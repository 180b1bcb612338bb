import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOURS, MINUTES, movableClock, SECONDS } from '../clock.ts'
import { afterFailure, NO_FAILURES, type RetryPolicy, readRetryAfter, retryDelayMs } from './retries.ts'

/** The times that Standard Webhooks gives as an example. */
const DAYS_LONG: RetryPolicy = {
  delaysMs: [5 * SECONDS, 5 * MINUTES, 30 * MINUTES, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOURS)],
  lastRepeats: false,
}
const FOR_EVER: RetryPolicy = { delaysMs: [1 * SECONDS, 1 * HOURS], lastRepeats: true }
const clock = movableClock()
clock.stop()

const isAbout = (ms: number | null, expected: number) =>
  assert.ok(ms !== null && ms >= expected * 0.875 && ms <= expected * 1.125, `${ms} for ${expected}`)

describe('an attempt that failed', () => {
  test('is repeated after the delay that is its turn, an eighth more or less', () => {
    for (const [index, delay] of DAYS_LONG.delaysMs.entries()) isAbout(retryDelayMs(DAYS_LONG, index + 1), delay)
    isAbout(retryDelayMs(FOR_EVER, 1), SECONDS)
    for (const failures of [2, 3, 5000]) isAbout(retryDelayMs(FOR_EVER, failures), HOURS)
    const all = new Set(Array.from({ length: 50 }, () => retryDelayMs(FOR_EVER, 2)))
    assert.ok(all.size > 10, 'not all of them at once')
  })

  test('is the last one when the delays are used up, unless the last repeats', () => {
    assert.equal(retryDelayMs(DAYS_LONG, DAYS_LONG.delaysMs.length + 1), null)
    assert.equal(retryDelayMs({ delaysMs: [], lastRepeats: true }, 1), null)
  })

  test('is counted, and the row says since when, why and until when', () => {
    const begun = clock.now()
    const first = afterFailure(NO_FAILURES, 'The server answered 500', clock, FOR_EVER)
    assert.deepEqual(
      { ...first, next_attempt_at: null },
      {
        failures: 1,
        failing_since: begun,
        last_error: 'The server answered 500',
        next_attempt_at: null,
      },
    )
    isAbout(Date.parse(first.next_attempt_at ?? '') - clock.ms(), SECONDS)
    clock.advance(MINUTES)
    const second = afterFailure(first, 'The server answered 502', clock, FOR_EVER)
    assert.deepEqual([second.failures, second.failing_since, second.last_error], [2, begun, 'The server answered 502'])
    isAbout(Date.parse(second.next_attempt_at ?? '') - clock.ms(), HOURS)
  })

  test('is the last one after so long without a success, however many there were', () => {
    const policy = { ...FOR_EVER, giveUpMs: 72 * HOURS }
    const first = afterFailure(NO_FAILURES, 'x', clock, policy)
    clock.advance(72 * HOURS - 1)
    assert.notEqual(afterFailure(first, 'x', clock, policy).next_attempt_at, null)
    clock.advance(1)
    assert.deepEqual(afterFailure(first, 'x', clock, policy).next_attempt_at, null)
    assert.notEqual(afterFailure(first, 'x', clock, FOR_EVER).next_attempt_at, null, 'nothing was said of an end')
  })

  test('is the last one of a policy that ends', () => {
    let row = afterFailure(NO_FAILURES, 'x', clock, DAYS_LONG)
    for (; row.next_attempt_at !== null; row = afterFailure(row, 'x', clock, DAYS_LONG)) assert.ok(row.failures < 20)
    assert.equal(row.failures, DAYS_LONG.delaysMs.length + 1)
  })
})

test('how long a server wants to be left alone is read from seconds or a date', () => {
  const at = (ms: number) => new Date(clock.ms() + ms).toUTCString()
  assert.equal(readRetryAfter('0', clock), 0)
  assert.equal(readRetryAfter('120', clock), 120 * SECONDS)
  const dated = readRetryAfter(at(HOURS), clock) ?? 0
  assert.ok(dated > HOURS - 2 * SECONDS && dated <= HOURS, String(dated))
  assert.equal(readRetryAfter(at(-HOURS), clock), 0)
  for (const text of ['', ' ', '-1', '1.5', '1e3', '0x10', 'soon', '2030-01-01', 'Fri, 99 Foo 2030 00:00:00 GMT'])
    assert.equal(readRetryAfter(text, clock), null, text)
  assert.equal(readRetryAfter(undefined, clock), null)
  assert.equal(readRetryAfter(['1', '2'], clock), null)
  assert.equal(readRetryAfter('9'.repeat(400), clock), null)
})
