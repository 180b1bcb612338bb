import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { HOURS, MINUTES, SECONDS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  type Owner,
  type Receiver,
  startReceiver,
} from '../webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
let id: string
before(async () => {
  core = await createWebhooksCore()
  core.clock.stop()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
  id = (await owner.addWebhook(receiver.url)).id
})
afterEach(() => receiver?.close())

/** Of the contract; the first attempt is made at once. */
const DELAYS = [5 * SECONDS, 5 * MINUTES, 30 * MINUTES, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOURS)]

async function passTo(moment: string): Promise<void> {
  core.clock.advance(Date.parse(moment) - core.clock.ms())
  await owner.drain()
}

describe('a delivery that is not taken', () => {
  test('is repeated nine times, each time after its delay and not before, and then given up', async () => {
    receiver.answer(() => 500)
    await owner.openStore()
    await owner.drain()
    const times = [core.clock.now()]
    for (const [index, delayMs] of DELAYS.entries()) {
      const { status, next_attempt_at, attempts } = await owner.newest(id)
      assert.deepEqual([status, attempts.length, receiver.received.length], ['pending', index + 1, index + 1])
      const waitMs = Date.parse(next_attempt_at) - core.clock.ms()
      assert.ok(waitMs >= delayMs * 0.875 && waitMs <= delayMs * 1.125, `${waitMs} ms for ${delayMs}`)
      await passTo(new Date(Date.parse(next_attempt_at) - 1).toISOString())
      assert.equal(receiver.received.length, index + 1, 'not a millisecond before')
      await passTo(next_attempt_at)
      times.push(next_attempt_at)
    }
    const { status, next_attempt_at, delivered_at, attempts } = await owner.newest(id)
    assert.deepEqual([status, next_attempt_at, delivered_at], ['failed', null, null])
    assert.deepEqual(
      attempts.map(({ at, response_status, error }: Record<string, unknown>) => [at, response_status, error]),
      times.map((time) => [time, 500, 'The server answered 500']),
    )
    core.clock.advance(30 * HOURS)
    await owner.drain()
    assert.equal(receiver.received.length, 10)
    assert.equal(new Set(receiver.received.map(({ id, body }) => `${id} ${body}`)).size, 1)
  })

  test('varies its delays, so that many do not come back at once', async () => {
    receiver.answer(() => 500)
    for (let index = 0; index < 5; index++) await owner.openStore()
    await owner.drain()
    const times = (await owner.deliveries(id)).map(({ next_attempt_at }) => next_attempt_at)
    assert.ok(new Set(times).size > 1, String(times))
  })

  test('is repeated no more once it is taken', async () => {
    receiver.answer(() => 500)
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 202)
    core.clock.advance(10 * SECONDS)
    await owner.drain()
    const { status, attempts, delivered_at, next_attempt_at, error } = await owner.newest(id)
    assert.deepEqual([status, attempts.length, next_attempt_at, error], ['delivered', 2, null, null])
    assert.equal(delivered_at, core.clock.now())
    core.clock.advance(30 * HOURS)
    await owner.drain()
    assert.equal(receiver.received.length, 2)
  })

  test('does not hold up what happens later', async () => {
    receiver.answer(() => 500)
    await owner.openStore()
    await owner.drain()
    for (let round = 0; round < 3; round++) {
      core.clock.advance(10 * SECONDS)
      await owner.drain()
    }
    receiver.answer(() => 200)
    const before = receiver.received.length
    const { id: fresh } = await owner.openStore()
    await owner.drain()
    const came = receiver.received.slice(before).map(({ body }) => JSON.parse(body).data.id)
    assert.deepEqual(came, [fresh], 'at once, whenever the other is due')
  })
})

describe('an event that is not kept any more', () => {
  test('is given up, and says nothing about the receiver', async () => {
    await owner.openStores(30)
    await asSuperuser(core, 'delete from events where tenant_id = $1', [owner.tenantId])
    await owner.drain()
    const lost = await owner.deliveries(id, '?limit=100')
    assert.deepEqual([lost.length, receiver.received.length], [30, 0])
    for (const { status, error, payload, next_attempt_at } of lost)
      assert.deepEqual(
        [status, error, payload, next_attempt_at],
        ['failed', 'The event is not kept any more', null, null],
      )
    assert.equal((await owner.look(id)).last_error, null)
    assert.equal((await owner.send('GET', `/webhooks/${id}/stats`)).failures, 0)
  })
})

describe('a webhook that is led elsewhere while something is sent', () => {
  for (const reply of [410, 429, 500] as const)
    test(`is not judged by the ${reply} of where it led`, async (context) => {
      const moved = await startReceiver()
      context.after(moved.close)
      receiver.answer(async () => {
        await owner.send('PUT', `/webhooks/${id}`, { url: moved.url })
        return reply
      })
      await owner.openStore()
      await owner.drain()
      const { is_active, last_error } = await owner.look(id)
      assert.deepEqual([is_active, last_error, receiver.received.length], [true, null, 1])
      core.clock.advance(6 * SECONDS)
      await owner.drain()
      assert.deepEqual([moved.received.length, (await owner.newest(id)).status], [1, 'delivered'])
    })
})
