import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { DAYS, fromNow, HOURS, MINUTES, momentAfter, SECONDS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  createOwner,
  createWebhooksCore,
  doneTo,
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
  receiver.answer(() => 500)
  owner = await createOwner(core)
  id = (await owner.addWebhook(receiver.url)).id
})
afterEach(() => receiver?.close())

/** Events of which each is tried once and then no more, so that a test counts attempts itself. */
async function fail(attempts: number): Promise<void> {
  for (let index = 0; index < attempts; index++) await owner.send('POST', `/webhooks/${id}/test`, {})
  await owner.drain()
  await stands()
}
const stands = async () => {
  const { failures } = await owner.send('GET', `/webhooks/${id}/stats`)
  assert.equal(failures, receiver.received.length - taken)
}
let taken = 0
beforeEach(() => {
  taken = 0
})

async function succeed(): Promise<void> {
  receiver.answer(() => 200)
  await owner.send('POST', `/webhooks/${id}/test`, {})
  await owner.drain()
  receiver.answer(() => 500)
  taken = receiver.received.length
}

const isOn = async () => (await owner.look(id)).is_active
const notices = async (kind: string) => (await owner.send('GET', `/notifications?kind=webhook.${kind}`)).data

/** What happened about the webhook by itself. */
const byItself = async () => (await doneTo(core, owner)).filter((each) => each.endsWith('by system'))

describe('a webhook of which nothing is taken', () => {
  test('stays on for five days, however often it is tried', async () => {
    await fail(60)
    core.clock.advance(5 * DAYS - MINUTES)
    await fail(30)
    assert.equal(await isOn(), true)
    core.clock.advance(MINUTES)
    await fail(1)
    const { is_active, disabled_reason, last_error } = await owner.look(id)
    assert.deepEqual([is_active, disabled_reason, last_error], [false, 'failing', 'The server answered 500'])
  })

  test('stays on for twenty attempts, however long they take', async () => {
    await fail(1)
    core.clock.advance(30 * DAYS)
    await fail(18)
    assert.equal(await isOn(), true)
    await fail(1)
    assert.equal(await isOn(), false)
  })

  test('is told of at half of both, once, and when it is switched off', async () => {
    await fail(1)
    core.clock.advance(2.5 * DAYS)
    await fail(8)
    assert.deepEqual(await byItself(), [], 'nine attempts are less than half')
    await fail(1)
    assert.deepEqual(await byItself(), ['failing by system'])
    core.clock.advance(DAYS)
    await fail(20)
    assert.deepEqual(await byItself(), ['failing by system'])
    core.clock.advance(1.5 * DAYS)
    await fail(1)
    assert.deepEqual(await byItself(), ['failing by system', 'disabled by system'])
    const { host } = new URL(receiver.url)
    for (const [kind, type] of [
      ['failing', 'warning'],
      ['disabled', 'error'],
    ] as const) {
      const [notice, ...others] = await notices(kind)
      assert.deepEqual([notice.type, others.length], [type, 0])
      assert.ok(notice.message.includes(host), notice.message)
      const mails = (await core.mails(owner.email)).filter(({ subject }) => subject === notice.title)
      assert.equal(mails.length, kind === 'failing' ? 1 : 1, kind)
    }
  })

  test('is told of at half of both, when the attempts were many at first', async () => {
    await fail(50)
    core.clock.advance(2.5 * DAYS - MINUTES)
    await fail(1)
    assert.deepEqual(await byItself(), [])
    core.clock.advance(MINUTES)
    await fail(1)
    assert.deepEqual(await byItself(), ['failing by system'])
  })

  test('begins anew with one success in between', async () => {
    await fail(30)
    core.clock.advance(4.9 * DAYS)
    await fail(1)
    assert.deepEqual(await byItself(), ['failing by system'])
    await succeed()
    assert.equal((await owner.look(id)).last_error, null)
    await fail(30)
    core.clock.advance(2.4 * DAYS)
    await fail(1)
    assert.deepEqual([await isOn(), await byItself()], [true, ['failing by system']])
    core.clock.advance(DAYS)
    await fail(1)
    assert.deepEqual(await byItself(), ['failing by system', 'failing by system'], 'it is told of anew')
    core.clock.advance(2 * DAYS)
    await fail(1)
    assert.equal(await isOn(), false)
  })

  test('begins anew when it leads elsewhere', async () => {
    await fail(30)
    core.clock.advance(4.9 * DAYS)
    await owner.send('PUT', `/webhooks/${id}`, { url: `${receiver.url}/new` })
    taken = receiver.received.length
    core.clock.advance(DAYS)
    await fail(30)
    assert.deepEqual([await isOn(), await byItself()], [true, []])
  })

  test('gets none of the events that come after it was switched off, and all that came before', async () => {
    await owner.openStore('Noted')
    await owner.drain()
    await fail(18)
    core.clock.advance(5 * DAYS)
    await fail(1)
    assert.equal(await isOn(), false)
    const off = core.clock.now()
    core.clock.advance(HOURS)
    await owner.openStore('Missed')
    await owner.drain()
    receiver.answer(() => 200)
    const before = receiver.received.length
    core.clock.advance(HOURS)
    const on = await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    assert.deepEqual(
      [on.is_active, on.disabled_reason, on.last_error, on.missed_since, on.missed_until],
      [true, null, null, momentAfter(off, -5 * MINUTES), fromNow(core.clock, 5 * MINUTES)],
    )
    await owner.drain()
    const names = receiver.received.slice(before).map(({ body }) => JSON.parse(body).data.name)
    assert.deepEqual(names, ['Noted'])
    assert.deepEqual((await doneTo(core, owner)).at(-1), 'updated by user')
    assert.deepEqual(await notices('enabled'), [], 'whoever did it knows')
    core.clock.advance(10 * SECONDS)
    await owner.openStore('Sent again')
    await owner.drain()
    assert.equal(receiver.received.length, before + 2)
  })
})
