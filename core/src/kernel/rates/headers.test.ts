import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Counted, rateHeaders } from './headers.ts'
import { readList } from './structured-list.fixture.ts'

const counted = (policy: string, max: number, used: number, leftMs: number, windowMs = 60_000): Counted => ({
  counter: { policy, subject: 'x', max, windowMs },
  count: { used, leftMs },
})

describe('the headers of rate limits', () => {
  it('are lists of strings with the quota, the window, what is left and until when', () => {
    const headers = rateHeaders([counted('user', 600, 3, 31_001), counted('reports', 5, 1, 3_000_000, 3_600_000)])
    assert.equal(headers['ratelimit-policy'], '"user";q=600;w=60, "reports";q=5;w=3600')
    assert.equal(headers.ratelimit, '"user";r=597;t=32, "reports";r=4;t=3000')
    assert.deepEqual(readList(headers.ratelimit), [
      { name: 'user', r: 597, t: 32 },
      { name: 'reports', r: 4, t: 3000 },
    ])
  })

  it('tell in the older form of the one with the fewest requests left', () => {
    const headers = rateHeaders([counted('user', 600, 3, 31_000), counted('reports', 5, 1, 9_000)])
    assert.equal(headers['x-ratelimit-limit'], '5')
    assert.equal(headers['x-ratelimit-remaining'], '4')
    assert.equal(headers['x-ratelimit-reset'], '9')
  })

  it('have no negative numbers, and never less than a second to wait', () => {
    const headers = rateHeaders([counted('user', 5, 9, 0.2)])
    assert.equal(headers.ratelimit, '"user";r=0;t=1')
    assert.equal(headers['x-ratelimit-remaining'], '0')
  })

  it('tell apart policies of one name with other figures', () => {
    assert.equal(rateHeaders([counted('twin', 5, 1, 1_000, 60_000)])['ratelimit-policy'], '"twin";q=5;w=60')
    assert.equal(rateHeaders([counted('twin', 5, 1, 1_000, 10_000)])['ratelimit-policy'], '"twin";q=5;w=10')
    assert.equal(rateHeaders([counted('twin', 6, 1, 1_000, 10_000)])['ratelimit-policy'], '"twin";q=6;w=10')
  })
})

describe('the reader of these headers', () => {
  it('refuses what is no list of strings', () => {
    for (const wrong of ['', 'user;r=1', '"user";r=1,', '"user";r="1"', '"user";r=1.5', '"us"er";r=1', '"user" "x"'])
      assert.throws(() => readList(wrong), wrong)
  })
})
