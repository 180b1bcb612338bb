import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromNow, HOURS, movableClock } from './clock.ts'

test('a movable clock runs, stands still when it is stopped, and goes on from there', async () => {
  const clock = movableClock()
  const before = Date.now()
  clock.advance(HOURS)
  assert.ok(clock.ms() >= before + HOURS, 'it runs ahead')
  clock.stop()
  const stopped = clock.ms()
  await sleep(20)
  assert.equal(clock.ms(), stopped)
  clock.advance(5)
  assert.equal(clock.ms(), stopped + 5)
  assert.equal(Date.parse(fromNow(clock, 10)), stopped + 15)
  clock.start()
  clock.start()
  assert.ok(clock.ms() >= stopped + 5, 'it has not gone back')
  while (clock.ms() < stopped + 10) await sleep(1)
})
