import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { DAYS, HOURS, MINUTES, SECONDS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  createOwner,
  createWebhooksCore,
  doneTo,
  type Owner,
  type Receiver,
  type Reply,
  startReceiver,
  tryDue,
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

/** How long a delivery is left alone after such an answer, in milliseconds. */
async function waitAfter(reply: Reply): Promise<number> {
  receiver.answer(() => reply)
  await owner.openStore()
  await owner.drain()
  const { next_attempt_at } = await owner.newest(id)
  return Date.parse(next_attempt_at) - core.clock.ms()
}

const later = (status: number, retryAfter: string): Reply => ({ status, headers: { 'retry-after': retryAfter } })
/** A second as a date of HTTP. */
const dateIn = (ms: number) => new Date(Math.ceil(core.clock.ms() / SECONDS) * SECONDS + ms).toUTCString()

/** Whether something new is sent at once. */
async function sendsNow(): Promise<boolean> {
  receiver.answer(() => 200)
  const before = receiver.received.length
  await owner.openStore()
  await owner.drain()
  return receiver.received.length > before
}

describe('Retry-After', () => {
  for (const status of [429, 503, 500, 404, 302])
    test(`is honoured beside ${status}, for all that its webhook gets`, async () => {
      assert.equal(await waitAfter(later(status, '3600')), HOURS)
      core.clock.advance(HOURS - 1)
      assert.equal(await sendsNow(), false)
      core.clock.advance(1)
      await owner.drain()
      assert.equal(receiver.received.length, 3, 'the one that was refused, and the new one')
    })

  test('may be a date', async () => {
    const wait = await waitAfter(later(503, dateIn(2 * HOURS)))
    assert.ok(wait >= 2 * HOURS && wait < 2 * HOURS + SECONDS, `${wait} ms`)
  })

  test('is a day at most', async () => {
    assert.equal(await waitAfter(later(503, String(30 * DAYS))), DAYS)
    core.clock.advance(DAYS)
    assert.equal(await sendsNow(), true)
    assert.equal(await waitAfter(later(503, dateIn(365 * DAYS))), DAYS)
  })

  test('shortens no delay', async () => {
    for (const text of ['0', '1', dateIn(-HOURS)]) {
      const wait = await waitAfter(later(503, text))
      assert.ok(wait >= 4375 && wait <= 5625, `${wait} ms after ${text}`)
      core.clock.advance(SECONDS)
      await sendsNow()
      core.clock.advance(MINUTES)
      await sendsNow()
    }
  })

  test('that says nothing is ignored', async () => {
    for (const text of ['soon', '-5', '1e9', '0x10', '1.5', '99999999999', '2026-12-01T00:00:00Z', 'Mon, 99 Foo']) {
      const wait = await waitAfter(later(500, text))
      assert.ok(wait >= 4375 && wait <= 5625, `${wait} ms after ${text}`)
      assert.equal(await sendsNow(), true, text)
    }
  })

  test('means nothing beside an answer that takes the event', async () => {
    receiver.answer(() => later(200, '3600'))
    await owner.openStore()
    await owner.drain()
    assert.equal(await sendsNow(), true)
  })
})

describe('a receiver that has too much to do', () => {
  for (const status of [429, 502, 504])
    test(`and answers ${status} is left alone for five seconds`, async () => {
      await waitAfter(status)
      core.clock.advance(5 * SECONDS - 1)
      assert.equal(await sendsNow(), false)
      core.clock.advance(1)
      assert.equal(await sendsNow(), true)
    })

  test('is not left alone for other answers', async () => {
    for (const status of [500, 404]) {
      await waitAfter(status)
      assert.equal(await sendsNow(), true, String(status))
    }
  })
})

describe('a receiver that answers 410', () => {
  test('is gone: its webhook is off at once, its people are told, and it is not tried', async () => {
    receiver.answer(() => 410)
    await owner.openStore()
    await owner.drain()
    const { is_active, disabled_reason, last_error } = await owner.look(id)
    assert.deepEqual([is_active, disabled_reason, last_error], [false, 'gone', 'The server answered 410'])
    const { status, attempts } = await owner.newest(id)
    assert.deepEqual([status, attempts.length], ['failed', 1])
    assert.deepEqual(await doneTo(core, owner), ['created by user', 'disabled by system'])

    const { data } = await owner.send('GET', '/notifications?kind=webhook.gone')
    assert.deepEqual([data.length, data[0].type], [1, 'error'])
    assert.ok(data[0].message.includes(new URL(receiver.url).host) && data[0].message.includes('410'))
    assert.equal((await core.mails(owner.email)).filter(({ subject }) => subject === data[0].title).length, 1)

    receiver.answer(() => 200)
    for (let hour = 0; hour < 3; hour++) {
      core.clock.advance(HOURS)
      await tryDue(core, owner.tenantId)
    }
    assert.equal(await sendsNow(), false)
    assert.equal(receiver.received.length, 1)
    const on = await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    assert.deepEqual([on.is_active, on.disabled_reason, on.last_error], [true, null, null])
    assert.equal(await sendsNow(), true)
  })

  test('is gone even when it took something at the same time', async () => {
    receiver.answer(({ body }) => (body.includes('Last of all') ? 410 : 200))
    await owner.openStores(4)
    await owner.openStore('Last of all')
    await owner.drain()
    assert.equal((await owner.look(id)).disabled_reason, 'gone')
    const statuses = (await owner.deliveries(id)).map(({ status }) => status)
    assert.deepEqual(statuses, ['failed', ...Array(4).fill('delivered')])
  })
})
