import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { SECONDS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
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
before(async () => {
  core = await createWebhooksCore()
  core.clock.stop()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
})
afterEach(() => receiver?.close())

/** When each request came, in milliseconds of the test's clock. */
function noteTimes(): number[] {
  const times: number[] = []
  receiver.answer(() => {
    times.push(core.clock.ms())
    return 200
  })
  return times
}

/** The most requests within any second. */
const mostIn = (times: readonly number[]) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + SECONDS).length))

describe('a rate', () => {
  for (const [rate, count, seconds] of [
    [1, 4, 4],
    [10, 35, 4],
    [75, 160, 3],
    [1000, 160, 1],
  ] as const)
    test(`of ${rate} in a second holds in each, and is used`, async () => {
      const { max_per_second } = await owner.addWebhook(receiver.url, { max_per_second: rate })
      assert.equal(max_per_second, rate)
      const times = noteTimes()
      await owner.openStores(count)
      const begun = core.clock.ms()
      for (; times.length < count; core.clock.advance(50)) {
        assert.ok(core.clock.ms() < begun + 10 * SECONDS, `${times.length} came`)
        await owner.drain()
      }
      assert.ok(mostIn(times) <= rate, `${mostIn(times)} in a second`)
      const last = times.at(-1) ?? Number.NaN
      assert.ok(last - begun < seconds * SECONDS, `${last - begun} ms`)
    })

  test('holds for what comes bit by bit', async () => {
    await owner.addWebhook(receiver.url, { max_per_second: 10 })
    const times = noteTimes()
    for (const count of [1, 10, 3, 0, 9, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) {
      if (count > 0) await owner.openStores(count)
      await owner.drain()
      core.clock.advance(250)
    }
    assert.deepEqual([times.length, mostIn(times) <= 10], [37, true], `${mostIn(times)} in a second`)
  })

  test('holds while the webhook is switched off and on, and led elsewhere', async () => {
    const { id } = await owner.addWebhook(receiver.url, { max_per_second: 5 })
    const times = noteTimes()
    await owner.openStores(60)
    for (let turn = 0; turn < 20; turn++) {
      await owner.drain()
      core.clock.advance(100)
      const change = [{ is_active: false }, { is_active: true }, { url: `${receiver.url}?turn=${turn}` }][turn % 3]
      await owner.send('PUT', `/webhooks/${id}`, change)
    }
    assert.ok(times.length > 5 && mostIn(times) <= 5, `${mostIn(times)} in a second`)
  })

  test('can be changed, and taken away', async () => {
    const { id } = await owner.addWebhook(receiver.url, { max_per_second: 1 })
    await owner.openStores(8)
    await owner.drain()
    assert.equal(receiver.received.length, 1)
    await owner.send('PUT', `/webhooks/${id}`, { max_per_second: 3 })
    core.clock.advance(SECONDS)
    await owner.drain()
    assert.equal(receiver.received.length, 4)
    await owner.send('PUT', `/webhooks/${id}`, { max_per_second: null })
    core.clock.advance(SECONDS)
    await owner.drain()
    assert.equal(receiver.received.length, 8)
  })
})

describe('requests to one receiver', () => {
  /** The most that were open at once, each answered only when no more come. */
  async function mostOpen(expected: number): Promise<number> {
    let most = 0
    const release = Promise.withResolvers<void>()
    receiver.answer(async () => {
      most = Math.max(most, receiver.open())
      await release.promise
      most = Math.max(most, receiver.open())
      return 500
    })
    const run = owner.drain()
    await until(`${expected} are open`, () => receiver.open() >= expected)
    release.resolve()
    await run
    return most
  }

  test('are twenty at a time', async () => {
    await owner.addWebhook(receiver.url)
    await owner.openStores(60)
    assert.equal(await mostOpen(20), 20)
  })

  test('are five at a time after a failure', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    await asSuperuser(core, 'update webhooks set failures = 1, failing_since = $2 where id = $1', [
      id,
      core.clock.now(),
    ])
    await owner.openStores(20)
    assert.equal(await mostOpen(5), 5)
  })

  test('that find it in trouble are the last: the others wait, and count no attempt', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    receiver.answer(() => 429)
    await owner.openStores(50)
    await owner.drain()
    const tried = (await owner.deliveries(id, '?limit=100')).map(({ attempts }) => attempts)
    const sum = tried.reduce((one, other) => one + other, 0)
    assert.deepEqual([tried.length, sum, receiver.received.length], [50, 20, 20])
    assert.equal(Math.max(...tried), 1)
    const { pending, failures } = await owner.send('GET', `/webhooks/${id}/stats`)
    assert.deepEqual([pending, failures], [50, 20])
    core.clock.advance(5 * SECONDS)
    await owner.drain()
    assert.equal(receiver.received.length, 25, 'five tell whether it is better')
    receiver.answer(() => 200)
    core.clock.advance(6 * SECONDS)
    await owner.drain()
    assert.equal((await owner.send('GET', `/webhooks/${id}/stats`)).pending, 0)
  })

  test('go on within the same turn after an answer that is no trouble', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    receiver.answer(() => 500)
    await owner.openStores(50)
    await owner.drain()
    assert.equal(receiver.received.length, 50)
    assert.equal((await owner.look(id)).is_active, true)
  })
})
