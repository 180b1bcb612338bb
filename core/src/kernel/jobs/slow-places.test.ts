import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECONDS } from '../clock.ts'
import { createSlowPlaces, KNOWN_MS, MOST_OF_TENANT, type SlowPlaces } from './slow-places.ts'

const SLOW = 15 * SECONDS
const QUICK = 20

function fill(places: SlowPlaces, tenant: string): number {
  let taken = 0
  while (places.enter(tenant)) taken++
  return taken
}

describe('places for jobs that wait for slow receivers', () => {
  test('are left to the next tenant, however many the others would take', () => {
    const places = createSlowPlaces()
    assert.deepEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((tenant) => fill(places, tenant)),
      [32, 16, 8, 4, 2, 1, 1],
    )
    assert.equal(places.enter('h'), false, 'until there are none')
  })

  test('are given back to those who wait, who take turns', () => {
    const places = createSlowPlaces()
    for (const tenant of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) fill(places, tenant)
    for (const tenant of ['h', 'i']) assert.equal(places.enter(tenant), false)
    assert.deepEqual(places.leave('a'), ['h'])
    assert.ok(places.enter('h'))
    assert.deepEqual(places.leave('a'), ['i'])
    assert.ok(places.enter('i'))
    assert.equal(places.enter('a'), false, 'who has many is the last')
  })

  test('are told to one tenant alone as it has them', () => {
    const places = createSlowPlaces()
    assert.equal(fill(places, 'a'), 32)
    assert.deepEqual(places.leave('a'), ['a'])
    assert.deepEqual(places.leave('a'), [], 'once')
  })
})

describe('a slow receiver', () => {
  test('is known to its tenant for a while, whatever else is quick', () => {
    let time = 1
    const places = createSlowPlaces(() => time)
    places.note('a', 'one', SLOW)
    places.note('a', 'other', QUICK)
    places.note('a', 'one', QUICK)
    assert.deepEqual(places.listKnown('a'), ['one'])
    assert.ok(places.isKnown('a', 'one'))
    assert.equal(places.isKnown('a', 'other'), false)
    assert.equal(places.isKnown('b', 'one'), false)
    time += KNOWN_MS - 1
    places.note('a', 'third', SLOW)
    time += 1
    assert.equal(places.isKnown('a', 'one'), false)
    assert.deepEqual(places.listKnown('a'), ['third'])
    time += KNOWN_MS
    assert.deepEqual(places.listKnown('a'), [])
  })

  test('is forgotten for those that were slow since, once they are too many', () => {
    const places = createSlowPlaces()
    for (let n = 0; n < MOST_OF_TENANT; n++) places.note('a', `${n}`, SLOW)
    places.note('a', '0', SLOW)
    places.note('a', 'one more', SLOW)
    assert.equal(places.listKnown('a').length, MOST_OF_TENANT)
    assert.ok(places.isKnown('a', '0'))
    assert.equal(places.isKnown('a', '1'), false)
    for (let n = 0; n < 1_000; n++) places.note(`tenant ${n}`, 'one', SLOW)
    assert.deepEqual(places.listKnown('a'), [])
    assert.ok(places.isKnown('tenant 0', 'one'))
  })
})
