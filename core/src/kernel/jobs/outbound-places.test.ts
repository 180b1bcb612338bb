import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECONDS } from '../clock.ts'
import { createOutboundPlaces } from './outbound-places.ts'

const SLOW = 15 * SECONDS
const QUICK = 20

/** Twenty places, and that many tenants whose last job took long. */
function withSlow(tenants: number) {
  const places = createOutboundPlaces(4)
  const names = Array.from({ length: tenants }, (_, index) => `slow ${index}`)
  for (const name of names) {
    assert.ok(places.enter(name))
    assert.deepEqual(places.leave(name, SLOW), [])
  }
  return { places, names }
}

describe('places for outbound jobs', () => {
  test('are more than those for other jobs, of which a tenant has four', () => {
    const places = createOutboundPlaces(4)
    assert.equal(places.count, 20)
    assert.deepEqual(
      Array.from({ length: 5 }, () => places.enter('one')),
      [true, true, true, true, false],
    )
    assert.ok(places.enter('other'))
    assert.deepEqual(places.leave('other', QUICK), [])
    assert.deepEqual(places.leave('one', QUICK), ['one'], 'who was refused is told')
    assert.deepEqual(places.leave('one', QUICK), [], 'once')
    assert.ok(places.enter('one'))
  })

  test('are kept free for tenants whose servers answer, however many have silent ones', () => {
    const { places, names } = withSlow(30)
    const inside = names.filter((name) => places.enter(name))
    assert.equal(inside.length, 15)
    for (let i = 0; i < 5; i++) assert.ok(places.enter(`quick ${i}`))
    const [first = ''] = inside
    assert.deepEqual(places.leave(first, SLOW), [names[15]], 'the slow take turns')
    assert.ok(places.enter(names[15]!)) // there are thirty
    assert.equal(places.enter(first), false)
  })

  test('are open again to a tenant whose servers answer again', () => {
    const { places, names } = withSlow(16)
    const [one = '', ...others] = names
    for (const name of others) assert.ok(places.enter(name))
    assert.equal(places.enter(one), false)
    assert.deepEqual(places.leave(others[0]!, QUICK), [one]) // there are fifteen
    assert.ok(places.enter(others[0]!))
    assert.ok(places.enter(one))
    assert.equal(places.enter(one), false)
    assert.deepEqual(places.leave(one, QUICK), [one])
    for (let i = 0; i < 4; i++) assert.ok(places.enter(one), 'as many as anybody')
  })
})
