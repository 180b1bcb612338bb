import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { readRange } from './ranges.ts'

describe('a range of bytes', () => {
  it('is read as RFC 9110 says', () => {
    const read: [header: string, range: ReturnType<typeof readRange>][] = [
      ['bytes=0-', { start: 0, end: 99 }],
      ['bytes=0-0', { start: 0, end: 0 }],
      ['bytes=5-10', { start: 5, end: 10 }],
      ['Bytes= 5-10 ', { start: 5, end: 10 }],
      ['bytes=,5-10,', { start: 5, end: 10 }],
      ['bytes=90-200', { start: 90, end: 99 }],
      ['bytes=90-99999999999999999999999999', { start: 90, end: 99 }],
      ['bytes=99-', { start: 99, end: 99 }],
      ['bytes=-1', { start: 99, end: 99 }],
      ['bytes=-500', { start: 0, end: 99 }],
      ['bytes=100-', 'unsatisfiable'],
      ['bytes=100-200', 'unsatisfiable'],
      ['bytes=99999999999999999999999999-', 'unsatisfiable'],
      ['bytes=-0', 'unsatisfiable'],
    ]
    for (const [header, range] of read) assert.deepEqual(readRange(header, 100), range, header)
  })

  it('is the whole for several ranges, other units and nonsense', () => {
    const nonsense = ['', 'bytes', 'bytes=', 'bytes=-', 'bytes=,', 'bytes=a-b', 'bytes=5', 'bytes=10-5', 'bytes=--5']
    const others = [
      'items=0-5',
      'bytes 0-5',
      'bytes=0-1,5-6',
      'bytes=0 - 5',
      'bytes=+1-5',
      'bytes=1.5-3',
      'bytes=0x1-0x5',
    ]
    for (const header of [undefined, ...nonsense, ...others]) assert.equal(readRange(header, 100), 'whole', header)
  })

  it('finds no part in nothing', () => {
    assert.equal(readRange('bytes=0-', 0), 'unsatisfiable')
    assert.equal(readRange('bytes=-0', 0), 'unsatisfiable')
    assert.equal(readRange('bytes=-5', 0), 'whole')
    assert.equal(readRange(undefined, 0), 'whole')
  })

  it('lies within the bytes there are, whatever was asked', () => {
    const number = fc.oneof(fc.nat(200).map(String), fc.bigInt({ min: 0n }).map(String), fc.constant(''))
    const asked = fc.oneof(
      fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
      fc.string({ maxLength: 20 }).map((text) => `bytes=${text}`),
    )
    fc.assert(
      fc.property(asked, fc.nat(150), (header, size) => {
        const range = readRange(header, size)
        if (typeof range === 'string') return
        assert.ok(Number.isInteger(range.start) && Number.isInteger(range.end))
        assert.ok(
          0 <= range.start && range.start <= range.end && range.end < size,
          JSON.stringify({ header, size, range }),
        )
      }),
      { seed: SEED, numRuns: 5_000 },
    )
  })
})
