import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLoadMeter, MOST_TENANTS } from './meter.ts'

const running = (most?: number) => {
  const meter = createLoadMeter(most)
  meter.start()
  return meter
}
const id = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

describe('the meter of load', () => {
  it('tells so many tenants apart, counts further ones together, and loses nothing', () => {
    const meter = running()
    for (let turn = 0; turn < 2; turn++)
      for (let n = 0; n < 20_000; n++) {
        const tally = meter.of(id(n))
        tally.requests++
        tally.bytes += 10
      }
    const { tenants, others } = meter.take()
    assert.equal(tenants.size, MOST_TENANTS)
    assert.ok([...tenants.values()].every(({ requests }) => requests === 2))
    assert.equal(others?.requests, 2 * (20_000 - MOST_TENANTS))
    assert.equal(others?.bytes, 20 * (20_000 - MOST_TENANTS))
  })

  it('begins anew with each take, with room for other tenants', () => {
    const meter = running(1)
    meter.of(id(1)).jobs++
    meter.of(id(2)).jobs++
    assert.equal(meter.take().others?.jobs, 1)
    meter.of(id(2)).jobs++
    const { tenants, outside, others } = meter.take()
    assert.deepEqual([...tenants.keys()], [id(2)])
    assert.deepEqual([outside.jobs, others], [0, null])
  })

  it('counts what could not be handed on with what came since', () => {
    const meter = running(1)
    meter.of(id(1)).requests++
    meter.of(id(2)).requests++
    meter.of(null).dbMs += 1.5
    const taken = meter.take()
    meter.of(id(3)).requests++
    meter.of(null).dbMs += 1
    meter.putBack(taken)
    const { tenants, outside, others } = meter.take()
    assert.deepEqual([...tenants.keys()], [id(3)])
    // The place of the first is taken meanwhile.
    assert.deepEqual([outside.dbMs, others?.requests], [2.5, 2])
  })

  it('knows a tenant however its id is written', () => {
    const meter = running()
    const written = '0192ABCD-0000-7000-8000-00000000000F'
    meter.of(written).requests++
    meter.of(written.toLowerCase()).requests++
    assert.deepEqual(
      [...meter.take().tenants].map(([id, { requests }]) => [id, requests]),
      [[written.toLowerCase(), 2]],
    )
  })

  it('counts only while somebody wants to know', () => {
    const meter = createLoadMeter()
    meter.of(id(1)).requests++
    meter.of(null).requests++
    assert.equal(meter.take().tenants.size, 0)
    meter.start()
    assert.equal(meter.take().outside.requests, 0)
    meter.of(id(1)).requests++
    meter.stop()
    meter.of(id(1)).requests++
    assert.equal(meter.take().tenants.get(id(1))?.requests, 1)
  })
})
