import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Ctx, type IfPaused, MINUTES, newId } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { endPause, mail } from './index.ts'
import { letters, pausedMail } from './letters.fixture.ts'
import { forgetPauses } from './pauses.ts'

let test: TestCore
before(async () => {
  test = await createTestCore({ modules: [mail, letters] })
})
after(() => test.close())

const taken = (to: string, ifPaused?: IfPaused) => (ctx: Ctx) =>
  ctx.mail(pausedMail, { to, data: { at: ctx.clock.now() }, ifPaused })
const send = async (to: string, ifPaused?: IfPaused) =>
  (await test.core.run(taken(to, ifPaused), { tenantId: null })) !== null
async function sentTo(to: string): Promise<number> {
  const rows = await test.core.db.systemQuery(`select 1 from global_mails where "to" = $1 and status = 'sent'`, [to])
  return rows.length
}

describe('one mail of a kind to an address in some minutes', () => {
  it('is all that goes out, however many are asked for at once', async () => {
    const to = `${newId()}@example.com`
    const sent = await Promise.all(Array.from({ length: 20 }, () => send(to)))
    assert.equal(sent.filter(Boolean).length, 1)
    assert.equal(await send(`${newId()}@example.com`), true, 'another address gets its own')
    test.clock.advance(10 * MINUTES)
    assert.equal(await send(to), true)
  })

  it('counts for the mailbox, whatever stands behind the sign +', async () => {
    const id = newId()
    const addresses = Array.from({ length: 8 }, (_, at) => `${id}+${at}@example.com`)
    const sent: boolean[] = []
    for (const to of addresses) sent.push(await send(to))
    assert.deepEqual(
      sent,
      addresses.map((_, at) => at < 5),
    )
    assert.equal(await send(`${id.toUpperCase()}@example.com`), false)
    assert.equal(await send(`+${id}@example.com`), true, 'another one')
  })

  it('is not counted when the transaction is rolled back, nor after the pause was ended', async () => {
    const to = `${newId()}@example.com`
    const failing = async (ctx: Ctx) => {
      await taken(to)(ctx)
      throw new Error('rolled back')
    }
    await assert.rejects(test.core.run(failing, { tenantId: null }), /rolled back/)
    assert.equal(await send(to), true)
    await test.core.run((ctx) => endPause(ctx, pausedMail, to), { tenantId: null })
    assert.equal(await send(to), true)
  })

  it('is waited for where the mail must not be lost, and not where the last one is worth nothing', async () => {
    const to = `${newId()}@example.com`
    for (let i = 0; i < 3; i++) assert.equal(await send(to, 'wait'), true)
    // Those that wait ask for their turn when it has come, and one of them gets it.
    for (const sent of [1, 2, 3]) {
      await drainJobs(test.core, null)
      assert.equal(await sentTo(to), sent)
      test.clock.advance(10 * MINUTES)
    }
    assert.equal(await send(to, 'send'), true)
    assert.equal(await send(to, 'send'), true)
    assert.equal(await send(to), false)
    await drainJobs(test.core, null)
    assert.equal(await sentTo(to), 5)
  })

  it('makes what it holds only when it goes out', async () => {
    const to = `${newId()}@example.com`
    let made = 0
    const work = (ctx: Ctx) =>
      ctx.mail(pausedMail, {
        to,
        data: async () => {
          made++
          return { at: ctx.clock.now() }
        },
      })
    for (let i = 0; i < 3; i++) await test.core.run(work, { tenantId: null })
    assert.equal(made, 1)
  })

  it('survives a clock that was wrong, and is forgotten when it is over', async () => {
    const to = `${newId()}@example.com`
    test.clock.advance(800 * 24 * 60 * MINUTES)
    assert.equal(await send(to), true)
    test.clock.advance(-800 * 24 * 60 * MINUTES)
    assert.equal(await send(to), true, 'not only after 800 days')
    assert.equal(await send(to), false)
    test.clock.advance(10 * MINUTES)
    await runSchedule(test.core, forgetPauses)
    const left = await test.core.db.systemQuery('select 1 from mail_pauses where ends_at <= $1', [test.clock.now()])
    assert.deepEqual(left, [])
  })

  it('is off with the rate limits', async () => {
    const free = await createTestCore({ modules: [mail, letters], env: { RATE_LIMIT_FACTOR: '0' } })
    try {
      for (let i = 0; i < 3; i++) assert.ok(await free.core.run(taken('ann@example.com'), { tenantId: null }))
    } finally {
      await free.close()
    }
  })
})
