import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { TestCore } from '../../testing/index.ts'
import { createOwner, createWebhooksCore, type Receiver, startReceiver } from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createWebhooksCore({ env: { OUTBOUND_ALLOW: '127.0.0.0/8' } })
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

describe('an event', () => {
  test('arrives signed, with its id, as it is pulled', async () => {
    const owner = await createOwner(core)
    const webhook = await owner.addWebhook(receiver.url)
    const store = await owner.openStore('Corner shop')
    await owner.drain()
    const [came] = receiver.received
    const body = new Webhook(webhook.secret).verify(came!.body, {
      'webhook-id': came!.id,
      'webhook-timestamp': String(came!.timestamp),
      'webhook-signature': came!.signatures,
    })
    assert.deepEqual((body as { data: unknown }).data, store)
  })
})
