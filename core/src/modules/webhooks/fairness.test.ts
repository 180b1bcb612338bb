import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SECONDS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { addEvents } from './load.fixture.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

const DELAY_MS = 5 * SECONDS
/** Half of what waits: each is for two webhooks. */
const EVENTS = 2_500
const DEAD_TENANTS = 12

let core: TestCore
/** Takes connections and requests, and says nothing. */
let dead: Receiver
/** Answers after a second. */
let slow: Receiver
let alive: Receiver
before(async () => {
  core = await createWebhooksCore({ worker: true })
  await core.core.db.systemQuery('update plans set limits = limits || \'{"webhooks": null}\'')
  ;[dead, slow, alive] = await Promise.all([startReceiver(), startReceiver(), startReceiver()])
  dead.answer(() => new Promise(() => {}))
  slow.answer(() => sleep(1 * SECONDS, 200))
})
after(async () => {
  await Promise.all([dead, slow, alive].map((receiver) => receiver?.close()))
  await core?.close()
})

/** Lets something happen, and gives how long it takes from its commit until it has arrived so often. */
async function timeToArrive(owner: Owner, times = 1): Promise<number> {
  const { id } = await owner.openStore()
  const committed = performance.now()
  const hasCome = () => alive.received.filter(({ body }) => body.includes(id)).length >= times
  await until('it has arrived', hasCome)
  return performance.now() - committed
}

describe('what goes to one server does not wait for others', () => {
  test('of a tenant with thousands of events for one that is dead and one that is slow', async () => {
    const big = await createOwner(core)
    const ids = await Promise.all([dead.url, slow.url].map(async (url) => (await big.addWebhook(url)).id as string))
    await addEvents(core, big, EVENTS, core.clock.now())
    const range = { since: new Date(core.clock.ms() - 3_600_000).toISOString(), until: core.clock.now() }
    for (const id of ids)
      assert.ok((await big.send('POST', `/webhooks/${id}/replay`, { ...range, status: 'missed' })).queued >= EVENTS)
    await until('both are waited for', () => dead.open() >= 20 && slow.open() >= 20)

    const small = await createOwner(core)
    await small.addWebhook(alive.url)
    for (let i = 0; i < 3; i++) {
      const took = await timeToArrive(small)
      assert.ok(took < DELAY_MS, `${Math.round(took)} ms`)
    }
    for (const id of ids) assert.ok((await big.send('GET', `/webhooks/${id}/stats`)).pending > EVENTS / 2, 'much waits')
  })

  test('of many tenants with a dead one each', async () => {
    const begun = dead.received.length
    for (let i = 0; i < DEAD_TENANTS; i++) {
      const owner = await createOwner(core)
      await owner.addWebhook(dead.url)
      await owner.openStore()
    }
    // Not all: were there too few places, the last would hang only when the first are given up.
    await until('most hang', () => dead.received.length >= begun + DEAD_TENANTS / 2)
    const small = await createOwner(core)
    await small.addWebhook(alive.url)
    const took = await timeToArrive(small)
    assert.ok(took < DELAY_MS, `${Math.round(took)} ms`)
  })

  test('of the same tenant', async () => {
    const owner = await createOwner(core)
    const begun = dead.received.length
    for (let i = 0; i < 2; i++) await owner.addWebhook(dead.url)
    for (let i = 0; i < 10; i++) await owner.addWebhook(alive.url)
    await timeToArrive(owner, 10)
    await until('both hang', () => dead.received.length >= begun + 2)
    const took = await timeToArrive(owner, 10)
    assert.ok(took < DELAY_MS, `${Math.round(took)} ms`)
  })
})
