import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { drainJobs } from '../../testing/drain-jobs.ts'
import type { TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import {
  asSuperuser,
  createOwner,
  createSinksCore,
  firstArrivals,
  lookForBacklog,
  type Owner,
  type Receiver,
  recordMany,
  sealAll,
  sealAndSend,
  sealedIds,
  sendDue,
  startReceiver,
} from './audit-sinks.fixture.ts'
import { enqueueSending } from './send.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createSinksCore()
})
after(() => core?.close())
afterEach(() => receiver?.close())

/** An owner with so many sealed records and a sink that is to get them all. */
async function furnish(count: number): Promise<{ owner: Owner; sink: { id: string; secret: string } }> {
  receiver = await startReceiver()
  const owner = await createOwner(core)
  await recordMany(core, owner.tenantId, count)
  await sealAll(core, owner.tenantId)
  return { owner, sink: await owner.addSink(receiver.url) }
}

const look = (owner: Owner, { id }: { id: string }) => owner.send('GET', `/audit/sinks/${id}`)

describe('what is sent', () => {
  test('is lines of JSON as the API shows them, signed as Standard Webhooks has it', async () => {
    const { owner, sink } = await furnish(3)
    await drainJobs(core.core, owner.tenantId)
    const [batch, ...others] = receiver.received
    assert.ok(batch && others.length === 0)
    const { headers, body, records } = batch
    assert.equal(headers['content-type'], 'application/x-ndjson')
    assert.equal(headers.cookie, undefined)
    new Webhook(sink.secret).verify(body, headers as Record<string, string>, { jsonParse: false })
    assert.throws(() =>
      new Webhook(sink.secret).verify(`${body} `, headers as Record<string, string>, { jsonParse: false }),
    )
    assert.equal(batch.id, `${sink.id}_1_${records.length}`)
    assert.ok(body.endsWith('}\n'))
    for (const line of body.trimEnd().split('\n')) {
      const record = JSON.parse(line)
      assert.deepEqual(record, await owner.send('GET', `/audit/${record.id}`))
    }
    const state = await look(owner, sink)
    assert.deepEqual(
      [state.backlog, state.sent_until],
      [0, JSON.parse(body.trimEnd().split('\n').at(-1) ?? '').created_at],
    )
    assert.ok(state.last_sent_at)
  })

  test('comes in batches of 500 records or 1 MiB', async () => {
    const { owner, sink } = await furnish(1200)
    await drainJobs(core.core, owner.tenantId)
    const sizes = receiver.received.map(({ records }) => records.length)
    assert.deepEqual(sizes.slice(0, 2), [500, 500])
    assert.deepEqual(
      firstArrivals(receiver),
      (await sealedIds(core, owner.tenantId)).slice(0, firstArrivals(receiver).length),
    )

    const [begun] = [receiver.received.length]
    await asSuperuser(
      core,
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
       select $1, overlay(tenantry.uuid_at(now())::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, now(), 'toy.made', 'system', 'system',
         'toy', jsonb_build_object('text', repeat('x', case n when 3 then 3000000 else 400000 end)) from generate_series(1, 5) n`,
      [owner.tenantId],
    )
    await sealAndSend(core, owner)
    const bodies = receiver.received.slice(begun).map(({ body }) => body)
    for (const body of bodies)
      assert.ok(Buffer.byteLength(body) <= 1024 * 1024 || body.trimEnd().split('\n').length === 1)
    assert.deepEqual([bodies.length >= 3, bodies.some((body) => body.length > 3_000_000)], [true, true])
    assert.deepEqual(firstArrivals(receiver), await sealedIds(core, owner.tenantId))
    assert.equal((await look(owner, sink)).backlog, 0)
  })

  test('is the same under the same id when it is sent again, whatever was sealed meanwhile', async () => {
    const { owner } = await furnish(5)
    receiver.answer(() => 'hang up')
    await drainJobs(core.core, owner.tenantId)
    await recordMany(core, owner.tenantId, 7)
    receiver.answer(() => 200)
    core.clock.advance(60_000)
    await sealAndSend(core, owner)
    const [first, again, rest] = receiver.received
    assert.ok(first && again && rest)
    assert.deepEqual([again.id, again.body], [first.id, first.body])
    assert.equal(first.records.length + rest.records.length, (await sealedIds(core, owner.tenantId)).length)
    assert.deepEqual(firstArrivals(receiver), await sealedIds(core, owner.tenantId))
  })

  test('leaves out what retention removed, and is not held up by it', async () => {
    const { owner, sink } = await furnish(600)
    const sealed = await sealedIds(core, owner.tenantId)
    receiver.answer(() => 503)
    await drainJobs(core.core, owner.tenantId)
    const remove = (ids: string[]) => asSuperuser(core, 'delete from audit_logs where id = any($1)', [ids])
    await remove(sealed.slice(0, 550))
    receiver.answer(() => 200)
    core.clock.advance(60_000)
    await sendDue(core, owner.tenantId)
    assert.deepEqual(
      receiver.received.slice(1).map(({ records }) => records),
      [sealed.slice(550)],
    )
    await owner.send('POST', `/audit/sinks/${sink.id}/pause`)
    await recordMany(core, owner.tenantId, 10)
    await sealAll(core, owner.tenantId)
    await asSuperuser(core, 'delete from audit_logs where tenant_id = $1', [owner.tenantId])
    await owner.send('POST', `/audit/sinks/${sink.id}/resume`)
    await drainJobs(core.core, owner.tenantId)
    assert.deepEqual([(await look(owner, sink)).backlog, receiver.received.length], [0, 2])
  })
})

describe('a sender', () => {
  test('is the only one of its sink', async () => {
    const { owner, sink } = await furnish(1100)
    let [underWay, most] = [0, 0]
    const release = Promise.withResolvers<void>()
    receiver.answer(async () => {
      most = Math.max(most, ++underWay)
      await release.promise
      underWay--
      return 200
    })
    const runs = [drainJobs(core.core, owner.tenantId)]
    await until('the first batch is under way', () => underWay === 1)
    for (let round = 0; round < 3; round++) {
      await core.core.run((ctx) => enqueueSending(ctx, sink.id), { tenantId: owner.tenantId })
      runs.push(drainJobs(core.core, owner.tenantId))
    }
    await Promise.all(runs.slice(1))
    assert.equal(receiver.received.length, 1)
    release.resolve()
    await Promise.all(runs)
    assert.equal(most, 1)
    const ids = receiver.received.flatMap(({ records }) => records)
    assert.deepEqual(ids, (await sealedIds(core, owner.tenantId)).slice(0, ids.length), 'each once, in order')
  })

  test('of each sink goes its own way', async (context) => {
    const { owner, sink } = await furnish(20)
    const other = await startReceiver()
    context.after(other.close)
    const second = await owner.addSink(other.url)
    receiver.answer(() => 500)
    await drainJobs(core.core, owner.tenantId)
    assert.equal((await look(owner, second)).backlog, 0)
    const { backlog, last_error } = await look(owner, sink)
    assert.deepEqual([backlog > 20, last_error], [true, 'The server answered 500'])
  })

  test('stops within a batch when its sink is paused, and goes on from there', async () => {
    const { owner, sink } = await furnish(1100)
    receiver.answer(async () => {
      await owner.send('POST', `/audit/sinks/${sink.id}/pause`)
      return 200
    })
    await drainJobs(core.core, owner.tenantId)
    const state = await look(owner, sink)
    assert.deepEqual([state.status, state.paused_reason], ['paused', 'by_hand'])
    assert.equal(receiver.received.length, 1)
    await sendDue(core, owner.tenantId)
    assert.equal(receiver.received.length, 1)
    receiver.answer(() => 200)
    const resumed = await owner.send('POST', `/audit/sinks/${sink.id}/resume`)
    assert.deepEqual([resumed.status, resumed.paused_reason], ['active', null])
    await drainJobs(core.core, owner.tenantId)
    await sealAndSend(core, owner)
    const ids = receiver.received.flatMap(({ records }) => records)
    assert.deepEqual(ids, await sealedIds(core, owner.tenantId), 'each once, in order')
    const actions = await asSuperuser<{ action: string }>(
      core,
      "select action from audit_logs where tenant_id = $1 and action like 'audit_sink.%' order by id",
      [owner.tenantId],
    )
    assert.deepEqual(
      actions.map(({ action }) => action),
      ['audit_sink.created', 'audit_sink.paused', 'audit_sink.resumed'],
    )
  })

  test('stops within a batch when its sink is deleted', async () => {
    const { owner, sink } = await furnish(1100)
    receiver.answer(async () => {
      await owner.send('DELETE', `/audit/sinks/${sink.id}`)
      return 200
    })
    await drainJobs(core.core, owner.tenantId)
    assert.equal(receiver.received.length, 1)
    assert.deepEqual(await asSuperuser(core, 'select 1 from tenant_jobs where tenant_id = $1', [owner.tenantId]), [])
  })

  test('sends again to where the sink leads by now', async (context) => {
    const { owner, sink } = await furnish(10)
    const moved = await startReceiver()
    context.after(moved.close)
    receiver.answer(async () => {
      await owner.send('PUT', `/audit/sinks/${sink.id}`, { url: moved.url })
      return 200
    })
    await drainJobs(core.core, owner.tenantId)
    assert.deepEqual(moved.received[0]?.records, receiver.received[0]?.records)
    assert.equal((await look(owner, sink)).backlog, 0)
  })

  test('does not serve a tenant that is deleted', async () => {
    const { owner, sink } = await furnish(10)
    const setStatus = (status: string) =>
      asSuperuser(core, 'update tenants set status = $2 where id = $1', [owner.tenantId, status])
    await setStatus('deleted')
    await sendDue(core, owner.tenantId)
    assert.equal(receiver.received.length, 0)
    await core.core.run((ctx) => enqueueSending(ctx, sink.id), { tenantId: owner.tenantId })
    await drainJobs(core.core, owner.tenantId)
    assert.equal(receiver.received.length, 0)
    await setStatus('suspended')
    await sendDue(core, owner.tenantId)
    assert.ok(receiver.received.length > 0)
  })
})

describe('the backlog', () => {
  test('is found each minute, where there is one and nobody is at it', async () => {
    const { owner, sink } = await furnish(10)
    const waiting = async () =>
      (
        await asSuperuser(core, "select 1 from tenant_jobs where tenant_id = $1 and task = 'audit_sinks.send'", [
          owner.tenantId,
        ])
      ).length
    await drainJobs(core.core, owner.tenantId)
    await lookForBacklog(core.core)
    assert.equal(await waiting(), 0, 'all is sent')
    await recordMany(core, owner.tenantId, 2)
    await sealAll(core, owner.tenantId)
    await lookForBacklog(core.core)
    await lookForBacklog(core.core)
    assert.equal(await waiting(), 1)
    const before = receiver.received.length
    await drainJobs(core.core, owner.tenantId)
    assert.equal(receiver.received.length, before + 1)
    await owner.send('POST', `/audit/sinks/${sink.id}/pause`)
    await sealAll(core, owner.tenantId)
    await lookForBacklog(core.core)
    assert.equal(await waiting(), 0, 'nobody asked for it')
    assert.equal((await look(owner, sink)).backlog, 1)
  })
})
