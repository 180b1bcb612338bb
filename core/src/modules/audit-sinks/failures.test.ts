import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { HOURS, MINUTES, retryDelayMs, SECONDS } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import type { TestCore } from '../../testing/index.ts'
import {
  asSuperuser,
  createOwner,
  createSinksCore,
  type Owner,
  type Receiver,
  type Reply,
  recordMany,
  sealAll,
  sealedIds,
  startReceiver,
} from './audit-sinks.fixture.ts'
import { RETRIES } from './failures.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
let sinkId: string
before(async () => {
  core = await createSinksCore()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
  await recordMany(core, owner.tenantId, 10)
  await sealAll(core, owner.tenantId)
  sinkId = (await owner.addSink(receiver.url)).id
})

afterEach(() => receiver?.close())

const look = () => owner.send('GET', `/audit/sinks/${sinkId}`)
const attempt = async (reply: Reply) => {
  receiver.answer(() => reply)
  await drainJobs(core.core, owner.tenantId)
  return look()
}
const events = async () =>
  (
    await asSuperuser<{ action: string; actor_type: string }>(
      core,
      "select action, actor_type from audit_logs where tenant_id = $1 and action like 'audit_sink.%' order by id",
      [owner.tenantId],
    )
  ).map(({ action, actor_type }) => `${action} by ${actor_type}`)

/** Whoever looks after streams is told of one that gave up, once: in their list, and by mail. */
async function tells(host: string): Promise<void> {
  const { data } = await owner.send('GET', '/notifications?kind=audit_sink.disabled')
  assert.equal(data.length, 1)
  assert.ok(data[0].message.includes(host), data[0].message)
  const mails = (await core.mails(owner.email)).filter(({ subject }) => subject === data[0].title)
  assert.deepEqual([data[0].type, mails.length], ['error', 1])
}

describe('an attempt that fails', () => {
  test('is repeated later and later, up to an hour', () => {
    for (const [failures, seconds] of [
      [1, 1],
      [2, 2],
      [5, 16],
      [12, 2048],
      [13, 3600],
      [100, 3600],
      [5000, 3600],
    ] as const) {
      const ms = retryDelayMs(RETRIES, failures) ?? Number.NaN
      assert.ok(ms >= seconds * SECONDS * 0.875 && ms <= seconds * SECONDS * 1.125, `${failures}: ${ms}`)
    }
  })

  test('tells why in a short sentence, and is forgotten when one succeeds', async () => {
    const sentences: [Reply, string][] = [
      [500, 'The server answered 500'],
      [302, 'The server answered 302'],
      [404, 'The server answered 404'],
      ['hang up', 'The connection broke before the answer was complete'],
    ]
    for (const [reply, sentence] of sentences) {
      const { last_error, next_attempt_at, backlog, status } = await attempt(reply)
      assert.deepEqual([last_error, backlog > 10, status], [sentence, true, 'active'])
      assert.ok(Date.parse(next_attempt_at) > core.clock.ms() - MINUTES)
      core.clock.advance(Date.parse(next_attempt_at) - core.clock.ms() + SECONDS)
    }
    const { last_error, next_attempt_at, backlog } = await attempt(204)
    assert.deepEqual([last_error, next_attempt_at, backlog], [null, null, 0])
    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 1)
  })

  test('is not repeated before its time', async () => {
    await attempt(500)
    const before = receiver.received.length
    const later = new Date(core.clock.ms() + HOURS).toISOString()
    await asSuperuser(core, 'update audit_sinks set next_attempt_at = $2 where id = $1', [sinkId, later])
    core.clock.advance(5 * MINUTES)
    await drainJobs(core.core, owner.tenantId)
    assert.equal(receiver.received.length, before)
  })

  test('is none when the answer is any 2xx', async () => {
    for (const status of [200, 201, 202, 204, 299]) {
      await recordMany(core, owner.tenantId, 1)
      await sealAll(core, owner.tenantId)
      await owner.send('POST', `/audit/sinks/${sinkId}/pause`)
      await owner.send('POST', `/audit/sinks/${sinkId}/resume`)
      assert.equal((await attempt(status)).backlog, 0, String(status))
    }
  })
})

describe('a receiver that is down', () => {
  test('is tried for 72 hours; then the sink pauses itself, and goes on where it was once it is resumed', async () => {
    const begun = core.clock.ms()
    let state = await attempt(503)
    for (; state.status === 'active'; state = await attempt(503)) {
      assert.ok(core.clock.ms() < begun + 80 * HOURS, 'it goes on for ever')
      core.clock.advance(Math.max(SECONDS, Date.parse(state.next_attempt_at) - core.clock.ms()))
    }
    const hours = (core.clock.ms() - begun) / HOURS
    assert.ok(hours >= 72 && hours < 74, `${hours} hours`)
    assert.ok(receiver.received.length > 72 && receiver.received.length < 120, `${receiver.received.length} attempts`)
    assert.deepEqual(
      [state.status, state.paused_reason, state.last_error, state.next_attempt_at],
      ['paused', 'failing', 'The server answered 503', null],
    )
    assert.deepEqual(await events(), [
      'audit_sink.created by user',
      'audit_sink.failing by system',
      'audit_sink.paused by system',
    ])
    core.clock.advance(2 * HOURS)
    const before = receiver.received.length
    await attempt(200)
    assert.equal(receiver.received.length, before, 'it rests')
    await tells(new URL(receiver.url).host)

    const { status, last_error, backlog } = await owner.send('POST', `/audit/sinks/${sinkId}/resume`)
    assert.deepEqual([status, last_error, backlog > 10], ['active', null, true])
    assert.equal((await attempt(200)).backlog, 0)
    assert.equal(receiver.received.at(-1)?.id, receiver.received[0]?.id)
    await sealAll(core, owner.tenantId)
    assert.deepEqual((await events()).at(-1), 'audit_sink.resumed by user')
    await owner.send('POST', `/audit/sinks/${sinkId}/pause`)
    await drainJobs(core.core, owner.tenantId)
    await tells(new URL(receiver.url).host)
  })

  test('that comes back for a moment begins its 72 hours anew', async () => {
    for (const hours of [0, 71, 71]) {
      core.clock.advance(hours * HOURS)
      assert.equal((await attempt(500)).status, 'active')
      core.clock.advance(2 * SECONDS)
      assert.equal((await attempt(200)).last_error, null)
      await recordMany(core, owner.tenantId, 1)
      await sealAll(core, owner.tenantId)
      await owner.send('POST', `/audit/sinks/${sinkId}/pause`)
      await owner.send('POST', `/audit/sinks/${sinkId}/resume`)
    }
  })
})

/** A process on the same database at the same time, with other settings, works on what is due. */
async function workElsewhere(env: Record<string, string>): Promise<void> {
  const other = await createSinksCore({ database: core.database, env })
  other.clock.advance(core.clock.ms() - other.clock.ms())
  await drainJobs(other.core, owner.tenantId)
  await other.close()
}

describe('what may not be reached', () => {
  test('is not reached by a sink that is there already', async () => {
    await workElsewhere({ OUTBOUND_ALLOW: '' })
    assert.equal(receiver.received.length, 0)
    assert.equal((await look()).last_error, 'The host of the URL has no public address')
  })

  test('is not reached by a redirect', async (context) => {
    const inside = await startReceiver()
    context.after(inside.close)
    receiver.answer(() => 307)
    await drainJobs(core.core, owner.tenantId)
    assert.deepEqual([inside.received.length, receiver.received.length], [0, 1])
    assert.equal((await look()).last_error, 'The server answered 307')
  })
})

describe('a secret that cannot be opened', () => {
  test('is a failure like another', async () => {
    await workElsewhere({ APP_SECRET: `other-${'x'.repeat(40)}` })
    assert.equal((await look()).last_error, 'The secret cannot be read any more: rotate it')
    assert.equal(receiver.received.length, 0)
    core.clock.advance(10 * SECONDS)
    assert.equal((await attempt(200)).last_error, null)
    assert.deepEqual(receiver.received[0]?.records, await sealedIds(core, owner.tenantId))
  })
})
