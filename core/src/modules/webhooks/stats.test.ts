import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, firstIdAt, HOURS, newId, SECONDS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
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
before(async () => {
  core = await createWebhooksCore()
  receiver = await startReceiver()
})
beforeEach(async () => {
  owner = await createOwner(core)
  receiver.answer(() => 200)
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

const stores = { events: ['store.*'] }
const stats = (id: string) => owner.send('GET', `/webhooks/${id}/stats`)

/** Attempts a second apart, the last one `agoMs` before now: each took as many milliseconds as it says; null: no answer. */
const tried = (webhook: string, durations: readonly (number | null)[], agoMs = 0) =>
  asSuperuser(
    core,
    `insert into webhook_attempts (tenant_id, id, created_at, webhook_id, delivery_id, response_status, error, duration_ms)
     select $1, id, now(), $2, $3, case when ms is not null then 200 end, case when ms is null then 'No answer' end, coalesce(ms, 15000)
     from unnest($4::uuid[], $5::int[]) as t (id, ms)`,
    [
      owner.tenantId,
      webhook,
      newId(),
      durations.map((_, n) => firstIdAt(core.clock.ms() - agoMs - n * SECONDS - SECONDS)),
      durations,
    ],
  )

describe('statistics of a webhook', () => {
  test('are empty where nothing was sent', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    assert.deepEqual(await stats(id), {
      attempts: 0,
      success_rate: null,
      p50_ms: null,
      p95_ms: null,
      pending: 0,
      oldest_pending_at: null,
      backlog_age_seconds: null,
      next_attempt_at: null,
      failures: 0,
      failing_since: null,
    })
    assert.equal((await owner.request('GET', `/webhooks/${newId()}/stats`)).status, 404)
  })

  test('tell the share that was taken, and how long answers took', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    const other = await owner.addWebhook(receiver.url, stores)
    const taken = Array.from({ length: 20 }, (_, n) => (n + 1) * 10)
    await tried(id, [...taken, null, null, null, null, null])
    await tried(other.id, [1_000, null])
    const { attempts, success_rate, p50_ms, p95_ms } = await stats(id)
    assert.deepEqual(
      { attempts, success_rate, p50_ms, p95_ms },
      { attempts: 25, success_rate: 0.8, p50_ms: 100, p95_ms: 190 },
    )
  })

  test('are of the last thousand attempts of seven days', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await tried(id, Array(50).fill(null), 7 * DAYS)
    await tried(id, Array(10).fill(70), 7 * DAYS - HOURS)
    assert.deepEqual([(await stats(id)).attempts, (await stats(id)).success_rate], [10, 1])
    await tried(id, Array(1_100).fill(20))
    const { attempts, p95_ms } = await stats(id)
    assert.deepEqual([attempts, p95_ms], [1_000, 20])
  })

  test('tell what waits, since when, and when it is sent next', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    receiver.answer(() => 500)
    await owner.openStore()
    const [oldest] = await owner.deliveries(id)
    const before = await stats(id)
    assert.deepEqual([before.pending, before.attempts, before.next_attempt_at], [1, 0, oldest.next_attempt_at])
    await owner.drain()
    core.clock.advance(90 * SECONDS)
    await owner.openStore()
    const late = await stats(id)
    assert.deepEqual([late.pending, late.attempts, late.success_rate, late.failures], [2, 1, 0, 1])
    assert.equal(late.oldest_pending_at, oldest.created_at)
    assert.ok(late.backlog_age_seconds >= 90 && late.backlog_age_seconds < 90 + 600)
    const due = (await owner.deliveries(id)).map((each) => each.next_attempt_at as string).sort()
    assert.equal(late.next_attempt_at, due[0])
    assert.ok(late.failing_since <= core.clock.now())
    receiver.answer(() => 200)
    core.clock.advance(1 * HOURS)
    await owner.drain()
    const after = await stats(id)
    assert.deepEqual([after.pending, after.failures, after.failing_since, after.next_attempt_at], [0, 0, null, null])
    assert.equal(after.attempts, 3)
    assert.ok(after.p50_ms >= 0)
  })

  test('tell no next time of what is off', async () => {
    const { id } = await owner.addWebhook(receiver.url, stores)
    await owner.openStore()
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false })
    const { pending, next_attempt_at, oldest_pending_at } = await stats(id)
    assert.deepEqual([pending, next_attempt_at], [1, null])
    assert.ok(oldest_pending_at)
  })
})
