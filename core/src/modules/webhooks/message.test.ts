import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { DAYS, HOURS, MINUTES, SECONDS } from '#kernel'
import { createSecretBox } from '../../kernel/secrets.ts'
import type { TestCore } from '../../testing/index.ts'
import { Event } from '../events/index.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  isSignedBy,
  isSignedByKey,
  type Owner,
  type Received,
  type Receiver,
  startReceiver,
} from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
before(async () => {
  core = await createWebhooksCore()
})
after(() => core?.close())
beforeEach(async () => {
  core.clock.start()
  receiver = await startReceiver()
  owner = await createOwner(core)
})
afterEach(() => receiver?.close())

/** The request that brings the next event. */
async function next(): Promise<Received> {
  const before = receiver.received.length
  await owner.openStore()
  await owner.drain()
  return receiver.received[before] ?? assert.fail('nothing came')
}

const headersOf = ({ headers }: Received) => headers as Record<string, string> // none of these is there twice

describe('a message', () => {
  test('has the body, the headers and the signature that its receiver expects', async () => {
    const { secret } = await owner.addWebhook(receiver.url)
    const came = await next()
    assert.deepEqual([receiver.received.length, came.headers['content-type']], [1, 'application/json'])
    assert.match(String(came.headers['user-agent']), /^Tenantry\b/)
    assert.deepEqual([came.headers.cookie, came.headers.authorization], [undefined, undefined])
    // The package holds the timestamp against the real time, from which the test's was not moved.
    assert.deepEqual(new Webhook(secret).verify(came.body, headersOf(came)), JSON.parse(came.body))
    for (const changed of [`${came.body} `, came.body.replace('"', '\u201d')])
      assert.throws(() => new Webhook(secret).verify(changed, headersOf(came)), /No matching signature/)
    assert.match(came.signatures, /^v1,[A-Za-z0-9+/]{43}=$/)
    assert.equal(came.body, JSON.stringify(JSON.parse(came.body)), 'no blanks')
  })

  test('is the event, by its id', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    const store = await owner.openStore('Café “Mitte”')
    await owner.drain()
    const came = receiver.received[0] ?? assert.fail('nothing came')
    const pulled = Object.keys(Event.properties).filter((name) => name !== 'id')
    assert.deepEqual(Object.keys(JSON.parse(came.body)), pulled)
    const { data, timestamp, ...rest } = JSON.parse(came.body)
    assert.deepEqual(data, store)
    assert.deepEqual(rest, {
      type: 'store.created',
      tenant_id: owner.tenantId,
      store_id: store.id,
      actor: { type: 'user', id: owner.userId, label: owner.name, impersonator_id: null },
    })
    const { response_body, response_status, error, status, delivered_at, ...delivery } = await owner.newest(id)
    assert.deepEqual([came.id, JSON.parse(came.body)], [delivery.event_id, delivery.payload])
    assert.deepEqual(
      [response_body, response_status, error, status, delivery.created_at],
      ['noted', 200, null, 'delivered', timestamp],
    )
    assert.ok(delivered_at)
    const recorded = await owner.send('GET', `/audit/${came.id}`)
    assert.deepEqual([recorded.action, recorded.created_at], ['store.created', timestamp])
  })

  test('is the same on a retry but for the second in which it is signed', async () => {
    const { secret } = await owner.addWebhook(receiver.url)
    core.clock.stop()
    receiver.answer(() => 500)
    const first = await next()
    assert.equal(first.timestamp, Math.floor(core.clock.ms() / SECONDS))
    receiver.answer(() => 200)
    core.clock.advance(10 * SECONDS)
    await owner.drain()
    const [, second] = receiver.received
    assert.ok(second)
    assert.deepEqual([second.id, second.body], [first.id, first.body])
    assert.deepEqual([second.timestamp, isSignedBy(secret, second)], [first.timestamp + 10, true])
    assert.notEqual(second.signatures, first.signatures)
  })

  test('that is a test has an id of its own', async () => {
    const { id, secret } = await owner.addWebhook(receiver.url)
    const tests = [await owner.send('POST', `/webhooks/${id}/test`, {})]
    tests.push(await owner.send('POST', `/webhooks/${id}/test`, { event: 'store.updated' }))
    await owner.drain()
    const types = tests.map((each) => each.event)
    assert.deepEqual(types, ['webhook.test', 'store.updated'])
    for (const made of tests) {
      const came = receiver.received.find((each) => each.id === made.id) ?? assert.fail('it did not come')
      assert.equal(made.event_id, null)
      assert.deepEqual(new Webhook(secret).verify(came.body, headersOf(came)), made.payload)
    }
    const wrong = await owner.post(`/webhooks/${id}/test`, { event: 'store.exploded' })
    assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [400, '#/event'])
  })
})

describe('a public key', () => {
  test('is all that a receiver of v1a has, and checks what comes', async () => {
    const webhook = await owner.addWebhook(receiver.url, { signature: 'v1a' })
    assert.match(webhook.public_key, /^whpk_[A-Za-z0-9+/]{43}=$/)
    assert.equal('secret' in webhook, false)
    const came = await next()
    assert.match(came.signatures, /^v1a,[A-Za-z0-9+/]{86}==$/)
    assert.equal(isSignedByKey(webhook.public_key, came), true)
    assert.equal(isSignedByKey(webhook.public_key, { ...came, body: `${came.body} ` }), false)
  })

  test('is followed by another', async () => {
    const { id, public_key: first } = await owner.addWebhook(receiver.url, { signature: 'v1a' })
    const { public_key: second, ...rotated } = await owner.send('POST', `/webhooks/${id}/rotate-secret`, {})
    assert.deepEqual(Object.keys(rotated), ['previous_expires_at'])
    const during = await next()
    assert.equal(during.signatures.split(' ').length, 2)
    assert.deepEqual([isSignedByKey(first, during), isSignedByKey(second, during)], [true, true])
    core.clock.advance(DAYS)
    const afterwards = await next()
    assert.deepEqual([isSignedByKey(first, afterwards), isSignedByKey(second, afterwards)], [false, true])
  })
})

describe('a secret that was replaced', () => {
  const rotate = (id: string, body: object = {}) => owner.send('POST', `/webhooks/${id}/rotate-secret`, body)

  for (const [hours, name] of [
    [undefined, 'a day'],
    [0, 'not a moment'],
    [1, 'an hour'],
    [168, 'seven days'],
  ] as const)
    test(`signs beside the new one for ${name} when ${hours ?? 'no'} hours are asked for`, async () => {
      const { id, secret: first } = await owner.addWebhook(receiver.url)
      core.clock.stop()
      const { secret: second, previous_expires_at } = await rotate(id, { overlap_hours: hours })
      const overlapMs = (hours ?? 24) * HOURS
      assert.equal(Date.parse(previous_expires_at), core.clock.ms() + overlapMs)
      if (overlapMs > 0) {
        core.clock.advance(overlapMs - MINUTES)
        const during = await next()
        assert.equal(during.signatures.split(' ').length, 2)
        assert.deepEqual([isSignedBy(first, during), isSignedBy(second, during)], [true, true])
        core.clock.advance(MINUTES)
      }
      const afterwards = await next()
      assert.equal(afterwards.signatures.split(' ').length, 1)
      assert.deepEqual([isSignedBy(first, afterwards), isSignedBy(second, afterwards)], [false, true])
    })

  test('signs no longer than a week', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    for (const overlap_hours of [8 * 24, 169, -1, 0.5, '24']) {
      const { status, body } = await owner.post(`/webhooks/${id}/rotate-secret`, { overlap_hours })
      assert.deepEqual([status, body.errors?.[0]?.pointer], [400, '#/overlap_hours'], String(overlap_hours))
    }
  })

  test('signs no more after another rotation', async () => {
    const { id, secret: first } = await owner.addWebhook(receiver.url)
    const { secret: second } = await rotate(id)
    const { secret: third } = await rotate(id)
    const came = await next()
    const signed = [first, second, third].map((secret) => isSignedBy(secret, came))
    assert.deepEqual(signed, [false, true, true])
  })
})

describe('a secret that cannot be opened any more', () => {
  for (const signature of ['v1', 'v1a'] as const) // words on the wire
    test(`of ${signature} makes attempts fail until it is rotated`, async () => {
      const { id } = await owner.addWebhook(receiver.url, { signature })
      const sealed = createSecretBox(`another-${'x'.repeat(40)}`).seal('whsec_lost', `webhook:${id}`)
      await asSuperuser(core, 'update webhooks set secret = $2 where id = $1', [id, sealed])
      await owner.openStore()
      await owner.drain()
      const { status, error, attempts } = await owner.newest(id)
      assert.deepEqual([status, attempts.length, receiver.received.length], ['pending', 1, 0])
      assert.equal(error, 'The secret cannot be read any more: rotate it')
      const { secret, public_key } = await owner.send('POST', `/webhooks/${id}/rotate-secret`, {})
      core.clock.advance(MINUTES)
      await owner.drain()
      const came = receiver.received[0] ?? assert.fail('nothing came')
      assert.equal(signature === 'v1' ? isSignedBy(secret, came) : isSignedByKey(public_key, came), true)
      assert.equal(came.signatures.split(' ').length, 1)
    })
})
