import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTES, movableClock } from '../clock.ts'
import { isFree, isHeld, NO_LEASE, newLease } from './leases.ts'

const clock = movableClock()
clock.stop()

test('a row is free unless somebody works on it, or it is put off', () => {
  const row = { ...NO_LEASE, next_attempt_at: null }
  assert.equal(isFree(row, clock), true)
  const taken = { ...row, ...newLease(clock, MINUTES) }
  const putOff = { ...row, next_attempt_at: taken.locked_until }
  assert.deepEqual(
    [taken, putOff].map((each) => isFree(each, clock)),
    [false, false],
  )
  clock.advance(MINUTES - 1)
  assert.deepEqual(
    [taken, putOff].map((each) => isFree(each, clock)),
    [false, false],
  )
  clock.advance(1)
  assert.deepEqual(
    [taken, putOff].map((each) => isFree(each, clock)),
    [true, true],
  )
  assert.equal(isFree({ ...putOff, ...newLease(clock, MINUTES) }, clock), false)
})

test('a lease is held until another one is written, or none', () => {
  const [mine, other] = [newLease(clock, MINUTES), newLease(clock, MINUTES)]
  assert.deepEqual(
    [mine, other, NO_LEASE].map((row) => isHeld(row, mine)),
    [true, false, false],
  )
  assert.equal(isHeld(NO_LEASE, NO_LEASE), false, 'no lease is nobody’s')
  clock.advance(2 * MINUTES)
  assert.equal(isHeld(mine, mine), true, 'until somebody takes over, what it did still counts')
})
