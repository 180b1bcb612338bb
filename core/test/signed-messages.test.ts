import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { DAYS, HOURS, MINUTES, newId, SECONDS } from '#kernel'
import { type Received, type Receiver, startReceiver } from '../src/modules/audit-sinks/audit-sinks.fixture.ts'
import { createTestCore, drainJobs, type TestCore } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'
import { addHook, addMessage, getMessage, HOOK_RETRIES, hooks, rotateHook } from './hooks-module.ts'

let test: TestCore
let receiver: Receiver
before(async () => {
  test = await createTestCore({ modules: [hooks] })
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await test?.close()
})

const inTenant = { tenantId: newId() }
const run: TestCore['core']['run'] = (work) => test.core.run(work, inTenant)
const look = (id: string) => run((ctx) => getMessage(ctx, id))
const cameFor = (id: string) => receiver.received.filter((request) => request.id === `msg_${id}`)

/** Whether the message is by that secret, to whoever checks it the moment it came. */
function isBy(secret: string, { body, id, timestamp, signatures }: Received): boolean {
  return signatures.split(' ').includes(new Webhook(secret).sign(id, new Date(timestamp * SECONDS), body))
}

describe('signed messages of a module’s own', () => {
  it('are sent by one process at a time, and once when they are taken', async () => {
    const hook = await run((ctx) => addHook(ctx, receiver.url))
    const other = await createTestCore({ modules: [hooks], database: test.database })
    try {
      const release = Promise.withResolvers<number>()
      receiver.answer(() => release.promise)
      const id = await run((ctx) => addMessage(ctx, hook.id, '{}', 20))
      const runs = [drainJobs(test.core, inTenant.tenantId), drainJobs(other.core, inTenant.tenantId)]
      let ended = 0
      for (const each of runs) void each.then(() => ended++)
      await until('one sends, and the other one has done all that is left', () => {
        return (cameFor(id).length === 1 && ended === 1) || cameFor(id).length > 1
      })
      assert.equal(cameFor(id).length, 1)
      release.resolve(200)
      await Promise.all(runs)
      assert.equal(cameFor(id).length, 1)
      assert.partialDeepStrictEqual(await look(id), { status: 'delivered', failures: 0, locked_by: null })
    } finally {
      await other.close()
    }
  })

  it('are tried for days under the same id, and then no longer', async () => {
    const hook = await run((ctx) => addHook(ctx, receiver.url))
    receiver.answer(() => 503)
    const id = await run((ctx) => addMessage(ctx, hook.id, '{"a":1}'))
    const begun = test.clock.ms()
    await drainJobs(test.core, inTenant.tenantId)
    for (let row = await look(id); row.status === 'pending'; row = await look(id)) {
      assert.ok(cameFor(id).length < 20, 'it goes on for ever')
      assert.equal(row.last_error, 'The server answered 503')
      test.clock.advance(Math.max(SECONDS, Date.parse(row.next_attempt_at ?? '') - test.clock.ms()))
      await drainJobs(test.core, inTenant.tenantId)
    }
    const hours = (test.clock.ms() - begun) / HOURS
    assert.ok(hours > 65 && hours < 86, `${hours} hours`)
    assert.equal(cameFor(id).length, HOOK_RETRIES.delaysMs.length + 1)
    assert.deepEqual([...new Set(cameFor(id).map(({ body }) => body))], ['{"a":1}'])
    assert.equal((await look(id)).status, 'failed')
    test.clock.advance(2 * DAYS)
    await drainJobs(test.core, inTenant.tenantId)
    assert.equal(cameFor(id).length, HOOK_RETRIES.delaysMs.length + 1)
  })

  it('are signed by two secrets for a day after a rotation', async () => {
    const hook = await run((ctx) => addHook(ctx, receiver.url))
    receiver.answer(() => 200)
    const next = async () => {
      const id = await run((ctx) => addMessage(ctx, hook.id, '{}'))
      await drainJobs(test.core, inTenant.tenantId)
      return cameFor(id)[0] ?? assert.fail('nothing came')
    }
    const second = await run((ctx) => rotateHook(ctx, hook.id))
    const during = await next()
    assert.deepEqual([isBy(hook.secret, during), isBy(second, during)], [true, true])
    test.clock.advance(DAYS + MINUTES)
    const afterwards = await next()
    assert.deepEqual([isBy(hook.secret, afterwards), isBy(second, afterwards)], [false, true])
  })
})
