import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Closed, defineJob, defineModule, Type } from '#kernel'
import { createOwner, createSinksCore, sealAll, startReceiver } from '../src/modules/audit-sinks/audit-sinks.fixture.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { createTestCore } from '../src/testing/index.ts'
import { countProbes, inTenant, managedJob, probe, until } from './probe-module.ts'

describe('jobs that wait for other people’s servers', () => {
  it('keep no mail waiting, however slow those are', async (context) => {
    const receiver = await startReceiver()
    const test = await createSinksCore({ worker: true, env: { WORKER_CONCURRENCY: '2', RATE_LIMIT_FACTOR: '0' } })
    context.after(async () => {
      receiver.answer(() => 200)
      goOn()
      await test.close()
      await receiver.close()
    })
    let goOn = () => {}
    const held = new Promise<number>((resolve) => {
      goOn = () => resolve(200)
    })
    receiver.answer(() => held)
    const owners = []
    for (let i = 0; i < 3; i++) {
      const owner = await createOwner(test)
      await owner.addSink(receiver.url)
      await owner.addSink(receiver.url)
      owners.push(owner)
    }
    for (const { tenantId } of owners) await sealAll(test, tenantId)
    // More than there are places for other jobs.
    const hang = () => until('slow receivers are waited for', () => receiver.open() > 2, 120_000)
    await hang()
    const [first] = owners
    assert.ok(first)
    const mails = async () => (await listMailbox(test.dataDir)).filter(({ to }) => to === first.email).length
    // An attempt is given up after 15 seconds, and the next takes its place. A mail that comes while so many hang has waited for
    // none of them; on a slow machine some may end just then.
    let hadItsOwn = false
    for (let attempt = 0; !hadItsOwn && attempt < 3; attempt++) {
      await hang()
      const before = await mails()
      await test.request('POST', '/api/v1/auth/forgot-password', { body: { email: first.email } })
      await until('the mail has come', async () => (await mails()) > before, 120_000)
      hadItsOwn = receiver.open() > 2
    }
    assert.ok(hadItsOwn)
  })

  it('have places of their own, of which one tenant fills no more than four', async (context) => {
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
    const running: string[] = []
    const slow = defineJob('slow.call', {
      payload: Closed({ label: Type.String() }),
      transaction: 'manual',
      outbound: true,
      handler: async (_ctx, { label }) => {
        running.push(label)
        if (label !== 'quick') await held
      },
    })
    const calls = defineModule({ name: 'calls', jobs: [slow] })
    const test = await createTestCore({ modules: [probe, calls], worker: true, env: { WORKER_CONCURRENCY: '1' } })
    context.after(async () => {
      goOn()
      await test.close()
    })
    const count = (label: string) => running.filter((each) => each === label).length
    const enqueue = (tenant: string, label: string) =>
      inTenant(test.core, tenant, (ctx) => ctx.enqueue(slow, { label }))
    for (let i = 0; i < 20; i++) await enqueue('big', 'big')
    await until('it has its places', () => count('big') === 4)
    await enqueue('small', 'quick')
    await until('another one has its turn beside it', () => count('quick') === 1)
    assert.equal(count('big'), 4)
    await enqueue('small', 'small')
    await until('all places are taken', () => count('small') === 1)
    await inTenant(test.core, 'big', (ctx) => ctx.enqueue(managedJob, { label: 'inner' }))
    await until('its other work goes on', async () => (await countProbes(test.core, 'inner')) === 1)
    goOn()
    await until('what waited follows', () => count('big') === 20)
  })
})
