import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SECONDS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

const DELAY_MS = 10 * SECONDS
/** An attempt is given up after fifteen. */
const SILENCE_MS = 16 * SECONDS
/** Three times the places of a tenant. */
const SILENT = 12
/** More than a tenant may have waited for at a time. */
const MANY = 40

let core: TestCore
/** Takes connections and requests, and says nothing. */
let silent: Receiver
let alive: Receiver
before(async () => {
  core = await createWebhooksCore({ worker: true })
  ;[silent, alive] = await Promise.all([startReceiver(), startReceiver()])
  silent.answer(() => new Promise(() => {}))
})
after(async () => {
  await Promise.all([silent, alive].map((receiver) => receiver?.close()))
  await core?.close()
})

/** Lets something happen, and gives how long it takes from its commit until it has arrived. */
async function timeToArrive(owner: Owner): Promise<number> {
  const { id } = await owner.openStore()
  const committed = performance.now()
  await until('it has arrived', () => alive.received.some(({ body }) => body.includes(id)))
  return performance.now() - committed
}

describe('a webhook whose server answers', () => {
  test('does not wait for a dozen of its tenant that are silent, whether that is known yet or not', async (context) => {
    const owner = await createOwner(core)
    for (let i = 0; i < SILENT; i++) await owner.addWebhook(silent.url)
    await owner.addWebhook(alive.url)
    const end = performance.now() + 2 * SILENCE_MS
    const took: number[] = []
    while (performance.now() < end) {
      took.push(Math.round(await timeToArrive(owner)))
      await sleep(1 * SECONDS)
    }
    context.diagnostic(`${took.join(', ')} ms`)
    assert.ok(Math.max(...took) < DELAY_MS, `${took.join(', ')} ms`)
  })

  test('does not wait for those of another tenant, however many, and neither does one that is silent', async () => {
    const big = await createOwner(core)
    for (let i = 0; i < MANY; i++) await big.addWebhook(silent.url)
    await big.openStore()
    await until('as many are waited for as may be', () => silent.open() > MANY / 2)
    const small = await createOwner(core)
    for (let i = 0; i < 2; i++) await small.addWebhook(silent.url)
    await small.addWebhook(alive.url)
    const took = await timeToArrive(small)
    assert.ok(took < DELAY_MS, `${Math.round(took)} ms`)
    const reached = () => silent.received.filter(({ body }) => body.includes(small.tenantId)).length
    await until('it has its turn', () => reached() === 2, DELAY_MS)
  })
})
