import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Closed, defineJob, defineModule, Type } from '#kernel'
import { createOwner, createSinksCore, sealAll, startReceiver } from '../src/modules/audit-sinks/audit-sinks.fixture.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
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
  it('give them up while their receivers keep them waiting, so many for each tenant, and are known for it', async (context) => {
    const running: string[] = []
    let held = Promise.withResolvers<void>()
    const call = defineJob('receiver.call', {
      payload: Closed({ tenant: Type.String(), name: Type.String() }),
      transaction: 'manual',
      outbound: 'receiver',
      handler: async (_ctx, { tenant, name }) => {
        running.push(`${tenant} ${name}`)
        if (name.startsWith('silent')) await held.promise
      },
    })
    const calls = defineModule({ name: 'calls', jobs: [call] })
    const test = await createTestCore({ modules: [probe, calls], worker: true, env: { WORKER_CONCURRENCY: '2' } })
    context.after(async () => {
      held.resolve()
      await test.close()
    })
    const enqueue = (tenant: string, ...names: string[]) =>
      inTenant(test.core, tenant, async (ctx) => {
        for (const name of names) await ctx.enqueue(call, { tenant, name })
      })
    const silent = Array.from({ length: 45 }, (_, n) => `silent ${n}`)
    const count = (what: string) => running.filter((each) => each.startsWith(what)).length
    const release = () => {
      held.resolve()
      held = Promise.withResolvers()
    }

    await enqueue('big', ...silent.slice(0, 12), 'quick')
    await until('it follows them, who are waited for', () => count('big quick') === 1)
    assert.equal(count('big silent'), 12)
    await enqueue('big', ...silent.slice(12))
    // Half of the slow places, and its own four.
    await until('it has its share', () => count('big silent') === 36)
    await enqueue('other', ...silent)
    await until('another has its own', () => count('other silent') === 20)
    await enqueue('third', 'quick')
    await until('a third has its turn', () => count('third quick') === 1)
    assert.equal(count('big silent'), 36)

    await sleep(SLOW_MS)
    release()
    await until('what waited follows', () => count('big silent') === silent.length)
    await until('it does for others', () => count('other silent') === silent.length)
    await sleep(SLOW_MS)
    release()
    await until('nothing is left', async () => (await countJobs(test.core)) === 0)
    running.length = 0
    await enqueue('big', ...silent)
    await until('those known to be slow take no other places', () => count('big silent') === 32)
    for (let n = 0; n < 3; n++) {
      await enqueue('big', `quick ${n}`)
      await until('nobody waits for them', () => count(`big quick ${n}`) === 1)
    }
    assert.equal(count('big silent'), 32)
    release()
    await until('the others follow', () => count('big silent') === silent.length)
  })
})

/** As long as a receiver has to keep a job to be remembered, and a little longer. */
const SLOW_MS = 2_500

async function countJobs({ db }: TestCore['core']): Promise<number> {
  const [row] = await db.systemQuery<{ jobs: number }>('select count(*)::int as jobs from tenant_jobs')
  return row?.jobs ?? -1
}
