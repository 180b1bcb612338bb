import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, HOURS, isUuid, MINUTES, newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { MOST_REPLAYED } from './deliveries/replay-queries.ts'
import { addEvents, eventIds } from './load.fixture.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  type Owner,
  type Receiver,
  startReceiver,
} from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
/** The last of what has happened to the owner before a test. */
let last: string
before(async () => {
  core = await createWebhooksCore()
  receiver = await startReceiver()
  await core.core.db.systemQuery('update plans set limits = limits || \'{"webhooks": null, "stores": null}\'')
})
beforeEach(async () => {
  owner = await createOwner(core)
  receiver.answer(() => 200)
  receiver.received.length = 0
  core.clock.advance(10 * MINUTES)
  ;[last = ''] = (await eventIds(core, owner)).slice(-1)
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

const at = (ms: number) => new Date(ms).toISOString()
/** Ids carry the machine's time, so what is to be replayed is made with ids of its own. */
const range = () => ({ since: at(Date.now() - 2 * HOURS), until: at(Date.now() + 2 * HOURS) })
const replay = (id: string, body: object = {}) => owner.send('POST', `/webhooks/${id}/replay`, { ...range(), ...body })
const tryReplay = (id: string, body: object = {}) =>
  owner.request('POST', `/webhooks/${id}/replay`, { body: { ...range(), ...body } })
const came = () => receiver.received.map(({ id }) => id)
const typesThatCame = () => receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
const stores = { events: ['store.*'] }

describe('a replay', () => {
  test('of what was missed brings what happened before the webhook was there, and no test of before', async () => {
    const store = await owner.openStore()
    const { id } = await owner.addWebhook(receiver.url, stores)
    const events = await eventIds(core, owner)
    const { queued } = await replay(id, { status: 'missed' })
    await owner.drain()
    assert.equal(came().length, queued)
    assert.deepEqual(came().slice(-1), events.slice(-1))
    assert.ok(receiver.received.at(-1)?.body.includes(store.id))
    assert.deepEqual(new Set(typesThatCame()), new Set(['store.created']), 'only what it asks for')
    assert.deepEqual(await replay(id, { status: 'missed' }), { queued: 0 })
  })

  test('of each status takes those of it alone, under the same ids', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 410)
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 200)
    await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    receiver.answer(() => 503)
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 200)
    const statuses = async () => (await owner.deliveries(id)).map(({ status }) => status as string)
    assert.deepEqual(await statuses(), ['pending', 'failed', 'delivered'])
    const rows = await owner.deliveries(id)
    receiver.received.length = 0
    for (const status of ['pending', 'failed', 'delivered'])
      assert.deepEqual(await replay(id, { status }), { queued: 1 }, status)
    const again = await owner.deliveries(id)
    assert.deepEqual(
      again.map((each) => [each.id, each.status]),
      rows.map((each) => [each.id, 'pending']),
      'no row is added',
    )
    core.clock.advance(1 * MINUTES)
    await owner.drain()
    assert.deepEqual(came().sort(), rows.map((each) => each.event_id as string).sort())
    assert.deepEqual(await statuses(), ['delivered', 'delivered', 'delivered'])
  })

  test('without a status takes all but what is on its way', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 503)
    await owner.openStore()
    await owner.drain()
    const [pending] = await owner.deliveries(id)
    const missed = (await eventIds(core, owner)).length - 2
    const { queued } = await replay(id)
    assert.ok(queued >= 2 && queued <= missed + 1, String(queued))
    const rows = await owner.deliveries(id)
    assert.deepEqual(
      rows.find((each) => each.id === pending.id).next_attempt_at,
      pending.next_attempt_at,
      'it keeps its time',
    )
    assert.equal(rows.length, queued + 1)
  })

  test('begins at a moment and ends before another', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await addEvents(core, owner, 10, at(Date.now() - 3 * HOURS))
    const since = (ms: number, until: number) => ({
      since: at(Date.now() - 3 * HOURS - ms),
      until: at(Date.now() - 3 * HOURS + until),
    })
    assert.deepEqual(await replay(id, since(1 * HOURS, 30 * MINUTES)), { queued: 10 })
    const moments = (await owner.deliveries(id)).map(({ created_at }) => Date.parse(created_at)).sort((a, b) => a - b)
    const [first = 0, second = 0] = moments
    const between = (from: number, to: number) => replay(id, { since: at(from), until: at(to), status: 'pending' })
    assert.deepEqual(await between(first, second), { queued: 1 })
    assert.deepEqual(await between(first, first), { queued: 0 })
    assert.deepEqual(await between(first + 1, second + 1), { queued: 1 })
    assert.deepEqual(await between(second, moments.at(-1)!), { queued: 8 })
    assert.deepEqual(await between(moments.at(-1)! + 1, moments.at(-1)! + HOURS), { queued: 0 })
  })

  test('keeps to the stores and the events that the webhook asks for', async () => {
    const store = await owner.openStore()
    const other = await owner.openStore()
    for (const each of [store, other]) await owner.send('PUT', `/stores/${each.id}`, { phone: '+49 30 1234567' })
    const count = async (fields: object) => {
      const { id } = await owner.addWebhook(receiver.url, fields as Record<string, unknown>)
      return (await replay(id, { status: 'missed' })).queued as number
    }
    assert.equal(await count({ events: ['store.updated'] }), 2)
    assert.equal(await count({ events: ['store.updated'], store_ids: [store.id] }), 1)
    assert.equal(await count({ events: ['store.*'], store_ids: [store.id] }), 2)
    assert.equal(await count({ events: ['store.deleted'] }), 0)
    const [all, known] = [await count({ events: ['*'] }), await count({ events: ['store.*'] })]
    assert.ok(all >= known && known >= 4, `${all} ${known}`)
  })

  test('of more than can be put on their way at once is refused, and puts nothing on its way', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    await owner.drain()
    await addEvents(core, owner, MOST_REPLAYED, at(Date.now() - 2 * MINUTES))
    const answer = await tryReplay(id)
    assert.deepEqual([answer.status, answer.body.code], [409, 'conflict'])
    const [rows] = await core.core.db.systemQuery<{ n: number }>(
      'select count(*)::int as n from webhook_deliveries where tenant_id = $1',
      [owner.tenantId],
    )
    assert.equal(rows?.n, 1, 'the one of before')
    assert.deepEqual(await owner.deliveries(id, '?status=pending'), [])
    const jobs = await core.core.db.systemQuery('select 1 from tenant_jobs where tenant_id = $1', [owner.tenantId])
    assert.deepEqual(jobs, [])
    const half = { since: at(Date.now() - 2 * HOURS), until: at(Date.now() - 2 * MINUTES + 1) }
    assert.deepEqual(await replay(id, { ...half, status: 'missed' }), { queued: MOST_REPLAYED }, 'as many as may be')
  })

  test('of what is not kept any more, or of a webhook that is off or unknown, brings nothing', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    await owner.drain()
    await asSuperuser(core, 'delete from events where tenant_id = $1', [owner.tenantId])
    assert.deepEqual(await replay(id), { queued: 0 })
    const [{ id: delivery, payload }] = await owner.deliveries(id)
    assert.equal(payload, null)
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false })
    for (const path of [`/webhooks/${id}/replay`, `/webhooks/${id}/deliveries/${delivery}/redeliver`] as const) {
      const body = path.endsWith('replay') ? range() : undefined
      const answer = await owner.request('POST', path, { body })
      assert.deepEqual([answer.status, answer.body.code], [409, 'conflict'], path)
    }
    assert.equal((await tryReplay(newId())).status, 404)
    const redelivered = await owner.request('POST', `/webhooks/${id}/deliveries/${newId()}/redeliver`)
    assert.ok([404, 409].includes(redelivered.status))
  })

  test('of all that was missed while it was off makes that known no longer', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false })
    core.clock.advance(1 * HOURS)
    const { id: store } = await owner.openStore()
    core.clock.advance(1 * HOURS)
    const on = await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    const { missed_since: since, missed_until: until } = on
    assert.ok(since < until)
    await owner.drain()
    assert.deepEqual(came(), [])
    // Ids carry the machine's time, which is behind that of the test.
    const { queued } = await replay(id, { since: at(Date.now() - 10 * MINUTES), until, status: 'missed' })
    assert.ok(queued >= 1)
    await owner.drain()
    assert.ok(receiver.received.some(({ body }) => body.includes(store)))
    const { missed_since, missed_until } = await owner.send('GET', `/webhooks/${id}`)
    assert.deepEqual([missed_since, missed_until], [null, null])
  })
})

describe('the id of a delivery', () => {
  test('is made of its webhook and its event, and has the time of the event', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    const other = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    const [{ id: delivery, event_id: event }] = await owner.deliveries(id)
    const [beside] = await owner.deliveries(other.id)
    assert.equal(beside.event_id, event)
    assert.notEqual(beside.id, delivery)
    for (const made of [delivery, beside.id] as string[]) {
      assert.ok(isUuid(made))
      assert.equal(made.slice(0, 13), event.slice(0, 13), 'milliseconds')
      assert.match(made, /^.{14}7.{3}-[89ab]/, 'version 7')
    }
    await owner.drain()
    await replay(id, { status: 'delivered' })
    assert.deepEqual(
      (await owner.deliveries(id)).map((each) => each.id),
      [delivery],
    )
    await owner.drain()
    assert.deepEqual(came().filter((each) => each === event).length, 3)
  })
})

describe('a test', () => {
  test('is sent once, also while it is off, and is no event', async () => {
    const { id } = await owner.addWebhook(receiver.url, { ...stores, is_active: false })
    const events = await eventIds(core, owner)
    receiver.answer(() => 500)
    const sent = await owner.send('POST', `/webhooks/${id}/test`, {})
    assert.deepEqual([sent.status, sent.event, sent.event_id], ['pending', 'webhook.test', null])
    await owner.drain()
    core.clock.advance(5 * DAYS)
    await owner.drain()
    assert.deepEqual(came(), [sent.id])
    const [row] = await owner.deliveries(id)
    assert.deepEqual([row.status, row.response_status, row.attempts], ['failed', 500, 1])
    receiver.answer(() => 200)
    const sample = await owner.send('POST', `/webhooks/${id}/test`, { event: 'store.created' })
    await owner.drain()
    assert.deepEqual(came(), [sent.id, sample.id])
    assert.equal(typesThatCame()[1], 'store.created')
    const { status, body } = await owner.request('POST', `/webhooks/${id}/test`, { body: { event: 'store.eaten' } })
    assert.deepEqual([status, body.errors[0].pointer], [400, '#/event'])
    assert.deepEqual(await eventIds(core, owner), events)
    assert.equal(last, events.at(-1))
  })
})
