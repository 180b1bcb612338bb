import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { DAYS, fromNow, HOURS, MINUTES } from '#kernel'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import type { TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  doneTo,
  isSignedBy,
  type Owner,
  type Receiver,
  startReceiver,
  tryDue,
} from '../webhooks.fixture.ts'
import { findTrials, tryAgain } from './trial.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
let webhook: { id: string; secret: string }
before(async () => {
  core = await createWebhooksCore()
  core.clock.stop()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
  webhook = await owner.addWebhook(receiver.url, { headers: { 'X-Key': 'one' } })
  await switchOff()
})
afterEach(() => receiver?.close())

/** As after five days and twenty attempts: the last of them is made here. */
async function switchOff(): Promise<void> {
  receiver.answer(() => 503)
  const since = new Date(core.clock.ms() - 5 * DAYS).toISOString()
  await asSuperuser(core, 'update webhooks set failures = 19, failing_since = $2 where id = $1', [webhook.id, since])
  await owner.openStore('On its way')
  await owner.drain()
  assert.equal((await owner.look(webhook.id)).disabled_reason, 'failing')
  receiver.received.length = 0
}

const pass = async (ms: number) => {
  core.clock.advance(ms)
  await tryDue(core, owner.tenantId)
}
const look = () => owner.look(webhook.id)

describe('a webhook that switched itself off', () => {
  test('is tried every hour, and not before', async () => {
    for (let hour = 1; hour <= 3; hour++) {
      await pass(HOURS - 1)
      assert.equal(receiver.received.length, hour - 1)
      await pass(1)
      assert.equal(receiver.received.length, hour)
      await tryDue(core, owner.tenantId)
      assert.equal(receiver.received.length, hour, 'once')
    }
    const { is_active, disabled_reason } = await look()
    assert.deepEqual([is_active, disabled_reason], [false, 'failing'])
    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 3)
    assert.deepEqual(await doneTo(core, owner), ['created by user', 'disabled by system'])
  })

  test('is tried by a message that says nothing, signed like any', async () => {
    await pass(HOURS)
    const [came] = receiver.received
    assert.ok(came)
    const { type, tenant_id, data } = JSON.parse(came.body)
    assert.deepEqual([type, tenant_id, data], ['webhook.test', owner.tenantId, { message: 'Are you there?' }])
    assert.deepEqual([isSignedBy(webhook.secret, came), came.headers['x-key']], [true, 'one'])
  })

  test('is tried late, and then each hour, when nobody was there to try', async () => {
    await pass(10 * HOURS)
    await pass(HOURS - 1)
    assert.equal(receiver.received.length, 1)
    await pass(1)
    assert.equal(receiver.received.length, 2)
  })

  for (const reply of ['hang up', 302, 410, 500] as const)
    test(`stays off when it answers ${reply}`, async () => {
      receiver.answer(() => reply)
      await pass(HOURS)
      await pass(HOURS)
      assert.deepEqual([receiver.received.length, (await look()).disabled_reason], [2, 'failing'])
    })

  test('is on again once it takes something, gets what was on its way, and its people know what was missed', async () => {
    const off = core.clock.now()
    await pass(HOURS)
    await owner.openStore('Missed')
    receiver.answer(() => 204)
    await pass(HOURS)
    const { is_active, disabled_reason, last_error, missed_since, missed_until } = await look()
    assert.deepEqual(
      [is_active, disabled_reason, last_error, missed_since, missed_until],
      [true, null, null, off, fromNow(core.clock, 5 * MINUTES)],
      'nothing is missed from before it was made',
    )
    await owner.openStore('Later')
    await owner.drain()
    const names = receiver.received.slice(2).map(({ body }) => JSON.parse(body).data.name)
    assert.deepEqual(names.sort(), ['Later', 'On its way'])
    assert.deepEqual((await doneTo(core, owner)).slice(1), ['disabled by system', 'enabled by system'])
    const { data } = await owner.send('GET', '/notifications?kind=webhook.enabled')
    assert.deepEqual([data.length, data[0].type], [1, 'success'])
    assert.ok(data[0].message.includes(new URL(receiver.url).host))
    await pass(2 * HOURS)
    assert.equal(receiver.received.length, 4, 'it is tried no more')
  })

  test('fails from the start again, not from where it was', async () => {
    receiver.answer(() => 204)
    await pass(HOURS)
    receiver.answer(() => 500)
    await owner.openStores(25)
    await owner.drain()
    assert.equal((await look()).is_active, true)
    const { failures, failing_since } = await owner.send('GET', `/webhooks/${webhook.id}/stats`)
    assert.deepEqual([failures, failing_since], [25, core.clock.now()])
  })

  test('is not tried where it led before, and is on again where it leads now', async (context) => {
    const moved = await startReceiver()
    context.after(moved.close)
    await owner.send('PUT', `/webhooks/${webhook.id}`, { url: moved.url })
    assert.equal((await look()).disabled_reason, 'failing')
    await pass(HOURS)
    await owner.drain()
    assert.deepEqual([receiver.received.length, moved.received.length], [0, 2])
    assert.equal((await look()).is_active, true)
  })

  test('is tried no more once a person switches it off or on', async () => {
    const off = await owner.send('PUT', `/webhooks/${webhook.id}`, { is_active: false })
    assert.deepEqual([off.is_active, off.disabled_reason], [false, null])
    await pass(2 * HOURS)
    assert.equal(receiver.received.length, 0)
    receiver.answer(() => 200)
    await owner.send('PUT', `/webhooks/${webhook.id}`, { is_active: true })
    await owner.drain()
    await pass(2 * HOURS)
    const names = receiver.received.map(({ body }) => JSON.parse(body).data.name)
    assert.deepEqual(names, ['On its way'])
  })

  test('stays off when a person switches it off while it is tried', async () => {
    receiver.answer(async () => {
      await owner.send('PUT', `/webhooks/${webhook.id}`, { is_active: false })
      return 200
    })
    await pass(HOURS)
    const { is_active, disabled_reason } = await look()
    assert.deepEqual([is_active, disabled_reason, receiver.received.length], [false, null, 1])
  })

  test('is tried once by many processes', async (context) => {
    const other = await createWebhooksCore({ database: core.database })
    context.after(() => other.close())
    other.clock.stop()
    core.clock.advance(HOURS)
    other.clock.advance(core.clock.ms() - other.clock.ms())
    const answer = Promise.withResolvers<number>()
    receiver.answer(() => answer.promise)
    for (let index = 0; index < 4; index++)
      await core.core.run((ctx) => ctx.enqueue(tryAgain, { webhook_id: webhook.id }), { tenantId: owner.tenantId })
    const runs = [core, other, core, other].map(async ({ core: each }, index) => {
      if (index < 2) await core.runSchedule(findTrials)
      await drainJobs(each, owner.tenantId)
    })
    await until('it is tried', () => receiver.received.length > 0)
    answer.resolve(503)
    await Promise.all(runs)
    assert.equal(receiver.received.length, 1)
  })

  test('is not tried while its tenant is deleted', async () => {
    const setStatus = (status: string) =>
      asSuperuser(core, 'update tenants set status = $2 where id = $1', [owner.tenantId, status])
    await setStatus('deleted')
    await pass(HOURS)
    assert.equal(receiver.received.length, 0)
    await setStatus('active')
    await pass(MINUTES)
    assert.equal(receiver.received.length, 1)
  })

  for (const reply of [200, 503, 410])
    test(`gets tests, which change nothing when ${reply} answers them`, async () => {
      const { updated_at, missed_since } = await look()
      receiver.answer(() => reply)
      core.clock.advance(MINUTES)
      const { id } = await owner.send('POST', `/webhooks/${webhook.id}/test`, {})
      await owner.drain()
      assert.deepEqual(
        receiver.received.map((each) => each.id),
        [id],
      )
      const after = await look()
      assert.deepEqual(
        [after.disabled_reason, after.updated_at, after.missed_since],
        ['failing', updated_at, missed_since],
      )
      assert.deepEqual(await doneTo(core, owner), ['created by user', 'disabled by system', 'tested by user'])
      const { data } = await owner.send('GET', `/webhooks/${webhook.id}/deliveries?status=pending`)
      assert.equal(data.length, 1, 'the event waits')
    })

  test('gets a test once, also when it is switched on meanwhile', async () => {
    await owner.send('POST', `/webhooks/${webhook.id}/test`, {})
    const release = Promise.withResolvers<number>()
    receiver.answer(({ body }) => (body.includes('Are you there?') ? 200 : release.promise))
    const sending = owner.drain()
    await until('the test is under way', () => receiver.open() === 1)
    core.clock.advance(HOURS)
    await asSuperuser(core, 'update webhooks set locked_until = $2 where id = $1', [
      webhook.id,
      new Date(core.clock.ms() + MINUTES).toISOString(),
    ])
    await tryDue(core, owner.tenantId)
    assert.equal((await look()).is_active, true)
    release.resolve(200)
    await sending
    await owner.drain()
    const tests = receiver.received.filter(({ body }) => body.includes('Messages arrive here.'))
    assert.equal(tests.length, 1)
  })
})
