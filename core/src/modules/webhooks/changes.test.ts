import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { DAYS, HOURS, MINUTES } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  type Owner,
  type Receiver,
  startReceiver,
  tryDue,
} from './webhooks.fixture.ts'

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

const change = (id: string, fields: object) => owner.send('PUT', `/webhooks/${id}`, fields)
/** What came since the last look. */
let seen = 0
const fresh = () => receiver.received.slice(seen)
beforeEach(() => {
  seen = 0
})

describe('a webhook that is written back as it was shown', () => {
  test('keeps its headers, and a store that is there no more', async () => {
    const { id: store } = await owner.openStore()
    const { id } = await owner.addWebhook(receiver.url, { headers: { 'X-Key': 'real' }, store_ids: [store] })
    await owner.send('DELETE', `/stores/${store}`)
    const { headers, store_ids, events } = await owner.look(id)
    const { headers: after, store_ids: stores } = await change(id, { headers, store_ids, events, description: 'New' })
    assert.deepEqual([after, stores], [{ 'X-Key': '***' }, [store]])
    await owner.send('POST', `/webhooks/${id}/test`, {})
    await owner.drain()
    assert.equal(receiver.received[0]?.headers['x-key'], 'real')
    const { status } = await owner.request('PUT', `/webhooks/${id}`, { body: { store_ids: [id] } })
    assert.equal(status, 400, 'another one that is no store is refused')
  })
})

describe('a webhook that leads elsewhere', () => {
  test('gets at once what waits, and none of the headers that the other server was told', async () => {
    const { id } = await owner.addWebhook(receiver.url, { headers: { 'X-Key': 'real' } })
    receiver.answer(() => 500)
    await owner.openStore()
    await owner.drain()
    const other = await startReceiver()
    try {
      const { headers } = await change(id, { url: other.url })
      assert.deepEqual(headers, {})
      await owner.drain()
      assert.deepEqual([other.received.length, other.received[0]?.headers['x-key']], [1, undefined])
      const { status, body } = await owner.request('PUT', `/webhooks/${id}`, { body: { headers: { 'X-Key': '***' } } })
      assert.deepEqual([status, body.errors[0].pointer], [400, '#/headers/X-Key'], 'nobody knows its value')
      const again = await change(id, { url: `${other.url}/path`, headers: { 'X-Other': 'new' } })
      assert.deepEqual(again.headers, { 'X-Other': '***' })
      assert.deepEqual(
        (await change(id, { url: `${other.url}/more` })).headers,
        { 'X-Other': '***' },
        'the same server',
      )
      assert.deepEqual((await change(id, { headers: null })).headers, {})
    } finally {
      await other.close()
    }
  })
})

describe('a person who asks for something', () => {
  test('is not held up by what the receiver asked for', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    receiver.answer(() => ({ status: 503, headers: { 'retry-after': '86400' } }))
    await owner.openStore()
    await owner.drain()
    receiver.answer(() => 200)
    seen = receiver.received.length
    await owner.send('POST', `/webhooks/${id}/test`, {})
    await owner.drain()
    assert.equal(fresh().length, 1)
    const { id: delivery } = (await owner.deliveries(id)).find(({ status }) => status === 'pending')
    await owner.send('POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`)
    await owner.drain()
    assert.equal(fresh().length, 2)
  })

  test('is refused more than a hundred webhooks', async () => {
    for (let made = 0; made < 100; made++) await owner.addWebhook(receiver.url)
    const { status, body } = await owner.post('/webhooks', { url: receiver.url, events: ['*'] })
    assert.deepEqual([status, body.code], [409, 'conflict'])
  })
})

describe('a receiver that is not there', () => {
  test('is left alone for longer and longer, five minutes at most', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    receiver.answer(() => 'hang up')
    await owner.openStores(200)
    await owner.drain()
    const first = receiver.received.length
    assert.ok(first <= 20, `${first} are tried at once`)
    const { next_attempt_at } = await owner.send('GET', `/webhooks/${id}/stats`)
    assert.ok(Date.parse(next_attempt_at) > core.clock.ms())
    for (let round = 0; round < 8; round++) {
      core.clock.advance(5 * MINUTES)
      await owner.drain()
    }
    assert.ok(receiver.received.length <= first + 8 * 10, `${receiver.received.length} after forty minutes`)
    receiver.answer(() => 200)
    core.clock.advance(5 * MINUTES)
    await owner.drain()
    core.clock.advance(DAYS)
    await owner.drain()
    assert.deepEqual(await owner.deliveries(id, '?status=pending'), [])
  })

  test('is tried for thirty days after it was given up', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    receiver.answer(() => 500)
    const since = new Date(core.clock.ms() - 5 * DAYS).toISOString()
    await asSuperuser(core, 'update webhooks set failures = 19, failing_since = $2 where id = $1', [id, since])
    await owner.openStore()
    await owner.drain()
    seen = receiver.received.length
    core.clock.advance(30 * DAYS)
    await tryDue(core, owner.tenantId)
    assert.equal(fresh().length, 1)
    core.clock.advance(HOURS)
    await tryDue(core, owner.tenantId)
    assert.equal(fresh().length, 2, 'the last time')
    receiver.answer(() => 200)
    core.clock.advance(2 * HOURS)
    await tryDue(core, owner.tenantId)
    assert.deepEqual([fresh().length, (await owner.look(id)).disabled_reason], [2, 'failing'])
  })
})

describe('what was missed', () => {
  test('is missed less by each part that is asked for, and by no other status', async () => {
    const { id } = await owner.addWebhook(receiver.url)
    await change(id, { is_active: false })
    core.clock.advance(2 * HOURS)
    const { missed_since: since, missed_until: until } = await change(id, { is_active: true })
    const replay = (body: object) => owner.send('POST', `/webhooks/${id}/replay`, body)
    const missed = async () => {
      const { missed_since, missed_until } = await owner.look(id)
      return [missed_since, missed_until]
    }
    await replay({ since, until, status: 'failed' })
    assert.deepEqual(await missed(), [since, until])
    const middle = new Date(Date.parse(since) + HOURS).toISOString()
    await replay({ since, until: middle, status: 'missed' })
    assert.deepEqual(await missed(), [middle, until])
    await replay({ since: middle, until, status: 'missed' })
    assert.deepEqual(await missed(), [null, null])
    const { status } = await owner.post(`/webhooks/${id}/replay`, { since: until, until: since })
    assert.equal(status, 400)
  })
})
