import assert from 'node:assert/strict'
import { describe, it, mock, test } from 'node:test'
import { firstIdAt, GREATEST_ID, hashedId, isUuid, LEAST_ID, newId, timeOfId } from './ids.ts'

describe('ids', () => {
  it('are UUIDv7 that ascend and never repeat, a million in a row', () => {
    const seen = new Set<string>()
    let last = ''
    for (let i = 0; i < 1_000_000; i++) {
      const id = newId()
      if (id <= last) assert.fail(`${id} after ${last}`)
      last = id
      seen.add(id)
    }
    assert.equal(seen.size, 1_000_000)
    for (const id of [last, ...[...seen].slice(0, 1_000)]) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.ok(isUuid(id))
    }
  })

  it('carry the time at which they were made', async () => {
    // The ids made above ran ahead of the clock a little.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = Date.now()
    const time = timeOfId(newId())
    assert.ok(time >= before && time <= Date.now() + 300, `${time - before} ms off`)
    assert.equal(timeOfId('01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'), 0x01926f3c7b1e)
  })

  it('of a millisecond begin with the first one, whatever the time', () => {
    const id = newId()
    const ms = timeOfId(id)
    assert.ok(firstIdAt(ms) <= id && id < firstIdAt(ms + 1))
    assert.equal(timeOfId(firstIdAt(ms)), ms)
    assert.equal(firstIdAt(-1), '00000000-0000-7000-8000-000000000000')
    assert.equal(firstIdAt(2 ** 60), 'ffffffff-ffff-7000-8000-000000000000')
  })

  it('ascend though the clock is set back', () => {
    const first = newId()
    mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 })
    const second = newId()
    mock.timers.reset()
    assert.ok(second > first)
  })

  it('differ in their random parts', () => {
    const random = new Set(Array.from({ length: 10_000 }, () => newId().slice(19)))
    assert.equal(random.size, 10_000)
    const counts = { '8': 0, '9': 0, a: 0, b: 0 }
    for (const text of random) counts[text.charAt(0) as keyof typeof counts]++ // the pattern above admits no other
    for (const count of Object.values(counts)) assert.ok(count > 2_000, JSON.stringify(counts))
  })

  it('are recognised in their canonical form alone', () => {
    for (const text of ['', 'x', newId().slice(1), `${newId()} `, newId().replaceAll('-', ''), `{${newId()}}`, 5, null])
      assert.equal(isUuid(text), false)
    assert.equal(isUuid(newId().toUpperCase()), true)
  })
})

test('a hashed id is a UUIDv8, the same for the same text alone', () => {
  const id = hashedId('a name')
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(hashedId('a name'), id)
  assert.notEqual(hashedId('another name'), id)
  assert.ok(LEAST_ID < id && id < GREATEST_ID)
})
