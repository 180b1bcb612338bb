import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { MINUTES, SECONDS } from '#kernel'
import type { Answered, TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { BATCH_WHILE_SMOOTH } from './deliveries/pace.ts'
import { addEvents, countWork, happen } from './load.fixture.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

const AT_ONCE = 20

/** Two processes on one database. */
let cores: [TestCore, TestCore]
let receiver: Receiver
let owner: Owner
before(async () => {
  const first = await createWebhooksCore()
  cores = [first, await createWebhooksCore({ database: first.database })]
  await first.core.db.systemQuery('update plans set limits = limits || \'{"webhooks": null}\'')
})
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(cores[0])
})
afterEach(() => receiver?.close())
after(async () => {
  for (const core of cores?.toReversed() ?? []) await core.close()
})

/** The same request so often at once, of both processes in turn. */
async function atOnce(method: string, path: string, body?: unknown, times = AT_ONCE): Promise<Answered[]> {
  const token = await owner.token()
  return Promise.all(
    Array.from({ length: times }, (_, index) => cores[index % 2]!.request(method, `/api/v1${path}`, { token, body })),
  )
}

/** Sends all that is due, by both processes. */
const drain = () => Promise.all(cores.map(({ drainJobs }) => drainJobs(owner.tenantId)))

const counts = (answers: readonly Answered[]) => {
  const found: Record<number, number> = {}
  for (const { status } of answers) found[status] = (found[status] ?? 0) + 1
  return found
}

/** A webhook to which so much is to be sent, of which some is under way: its receiver keeps it waiting until it is told. */
async function underWay(events: number): Promise<{ id: string; answer: (reply: 200 | 503) => Promise<void> }> {
  const { promise, resolve } = Promise.withResolvers<200 | 503>()
  receiver.answer(() => promise)
  const { id } = await owner.addWebhook(receiver.url, { events: ['store.*'] })
  const store = await owner.openStore()
  await happen(cores[0], owner, store, events - 1)
  const sent = owner.drain()
  await until('it is under way', () => receiver.open() === Math.min(AT_ONCE, events))
  const answer = async (reply: 200 | 503) => {
    receiver.answer(() => 200)
    resolve(reply)
    await sent
  }
  return { id, answer }
}

describe('the same delivery', () => {
  test('put on its way again by twenty at once is there once, and sent again', async () => {
    const { id } = await owner.addWebhook(receiver.url, { events: ['store.*'] })
    await owner.openStore()
    await drain()
    const [{ id: delivery }] = await owner.deliveries(id)
    assert.deepEqual(counts(await atOnce('POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`)), { 202: AT_ONCE })
    await drain()
    const [row, ...others] = await owner.deliveries(id)
    assert.deepEqual(others, [])
    assert.equal(row.status, 'delivered')
    assert.ok(receiver.received.length >= 2)
    assert.equal(new Set(receiver.received.map((request) => request.id)).size, 1)
    const { attempts } = await owner.send('GET', `/webhooks/${id}/deliveries/${delivery}`)
    assert.deepEqual([row.attempts, attempts.length], [receiver.received.length, receiver.received.length])
  })

  for (const reply of [200, 503] as const)
    test(`asked for again while it is under way is sent again after an answer of ${reply}`, async () => {
      const { id, answer } = await underWay(1)
      const [{ id: delivery }] = await owner.deliveries(id)
      cores[0].clock.advance(1)
      const again = await owner.send('POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`)
      assert.equal(again.status, 'pending')
      await answer(reply)
      await owner.drain()
      assert.equal(receiver.received.length, 2)
      const [row] = await owner.deliveries(id)
      assert.deepEqual([row.status, row.attempts, row.response_status], ['delivered', 2, 200])
    })

  test('is sent once by two processes that work at once', async () => {
    const { id } = await owner.addWebhook(receiver.url, { events: ['store.*'] })
    const store = await owner.openStore()
    for (let i = 0; i < 8; i++) {
      await happen(cores[i % 2]!, owner, store, 25)
      await Promise.all([drain(), happen(cores[(i + 1) % 2]!, owner, store, 5)])
    }
    // Whoever came while the other one sent has left a job for when that one may be dead.
    cores.forEach(({ clock }) => void clock.advance(2 * MINUTES))
    await drain()
    const ids = receiver.received.map((request) => request.id)
    assert.equal(ids.length, 241)
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(await owner.deliveries(id, '?status=pending'), [])
  })

  test('is taken over when its sender does not come back in time, whose result then counts no more', async () => {
    const { id, answer } = await underWay(1)
    receiver.answer(() => 200)
    cores[1].clock.advance(2 * MINUTES)
    await cores[1].drainJobs(owner.tenantId)
    assert.equal(receiver.received.length, 2)
    await answer(503)
    const [row] = await owner.deliveries(id)
    assert.deepEqual([row.status, row.attempts], ['delivered', 1])
    cores[0].clock.advance(2 * MINUTES)
  })
})

describe('events of a time', () => {
  test('asked for by many at once are each put on their way once', async () => {
    await owner.openStore()
    await addEvents(cores[0], owner, 30, cores[0].clock.now())
    const { id } = await owner.addWebhook(receiver.url, { events: ['store.*'] })
    const range = { since: new Date(cores[0].clock.ms() - 3_600_000).toISOString(), until: cores[0].clock.now() }
    const answers = await atOnce('POST', `/webhooks/${id}/replay`, { ...range, status: 'missed' })
    assert.deepEqual(counts(answers), { 200: AT_ONCE })
    const queued = answers.map(({ body }) => body.queued as number).sort((one, other) => other - one)
    assert.ok(queued[0]! >= 31)
    assert.deepEqual(queued.slice(1), Array(AT_ONCE - 1).fill(0))
    await drain()
    assert.equal(receiver.received.length, queued[0])
    assert.equal(new Set(receiver.received.map((request) => request.id)).size, queued[0])
  })
})

describe('a webhook', () => {
  test('is deleted while it sends, once, and gets nothing afterwards', async () => {
    const { id, answer } = await underWay(3 * BATCH_WHILE_SMOOTH)
    assert.deepEqual(counts(await atOnce('DELETE', `/webhooks/${id}`)), { 204: 1, 404: AT_ONCE - 1 })
    await answer(200)
    const came = receiver.received.length
    assert.ok(came <= 2 * BATCH_WHILE_SMOOTH, 'what was taken to be sent')
    cores.forEach(({ clock }) => void clock.advance(2 * MINUTES))
    await drain()
    assert.equal(receiver.received.length, came)
  })

  test('is heard while it sends: of other headers and a new secret soon, not when all is sent', async () => {
    const { id, answer } = await underWay(3 * BATCH_WHILE_SMOOTH)
    await owner.send('PUT', `/webhooks/${id}`, { headers: { 'x-key': 'new' } })
    const { secret } = await owner.send('POST', `/webhooks/${id}/rotate-secret`, { overlap_hours: 0 })
    await answer(200)
    const { received } = receiver
    assert.equal(received.length, 3 * BATCH_WHILE_SMOOTH)
    const late = received.filter(({ headers }) => headers['x-key'] !== 'new')
    assert.ok(late.length <= 2 * BATCH_WHILE_SMOOTH, `${late.length} had been taken to be sent`)
    const { id: message, timestamp, body, signatures } = received.at(-1)!
    assert.equal(signatures, new Webhook(secret).sign(message, new Date(timestamp * SECONDS), body))
  })

  test('is switched off and on while it sends, and loses nothing', async () => {
    const { id, answer } = await underWay(3 * BATCH_WHILE_SMOOTH)
    for (const each of await atOnce('PUT', `/webhooks/${id}`, { is_active: false })) assert.equal(each.status, 200)
    await answer(200)
    const came = receiver.received.length
    assert.ok(came <= 2 * BATCH_WHILE_SMOOTH, 'what was taken to be sent')
    cores.forEach(({ clock }) => void clock.advance(2 * MINUTES))
    await drain()
    assert.equal(receiver.received.length, came, 'off')
    assert.equal((await countWork(cores[0], owner)).unsent, 3 * BATCH_WHILE_SMOOTH - came)
    for (const each of await atOnce('PUT', `/webhooks/${id}`, { is_active: true })) assert.equal(each.status, 200)
    await drain()
    assert.equal(receiver.received.length, 3 * BATCH_WHILE_SMOOTH)
    assert.equal(new Set(receiver.received.map((request) => request.id)).size, 3 * BATCH_WHILE_SMOOTH)
  })
})
