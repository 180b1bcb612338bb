import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { type Ctx, MINUTES, newId, randomToken } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { mail } from './index.ts'
import { letters, linkMail, unlistedMail } from './letters.fixture.ts'
import { listMailbox } from './mailbox.ts'
import { mailCheck } from './mailer.ts'

const TOKEN = 'a-token-that-nobody-may-see'

const welcome = (ctx: Ctx, to: string) =>
  ctx.mail(linkMail, {
    to,
    data: { name: 'Ada', token: TOKEN, expiresAt: '2026-01-31T12:00:00.000Z' },
    locale: 'en',
    fromName: 'Acme Ltd',
  })

const waiting = (test: TestCore) => test.core.run(({ tx }) => tx.selectFrom('system_jobs').selectAll().execute())
const log = (test: TestCore) =>
  test.core.run(({ tx }) => tx.selectFrom('global_mails').selectAll().orderBy('id', 'desc').execute())
const work = (test: TestCore) => drainJobs(test.core, null)
const newEmail = () => `${newId()}@example.com`

describe('without a mail server', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [mail, letters] })
  })
  after(() => test.close())

  it('a mail waits sealed until the commit, then lies in the mailbox', async () => {
    const to = newEmail()
    await test.core.run((ctx) => welcome(ctx, to))
    const [job] = await waiting(test)
    assert.deepEqual(Object.keys(job?.payload ?? {}), ['id'])
    const [row] = await log(test)
    assert.ok(!JSON.stringify(row).includes(TOKEN), 'the token can be read in the log of mails')
    has(row, { to, kind: 'letters.link', subject: 'A link for Ada', status: 'queued', attempts: 0, sent_at: null })
    await work(test)
    const [stored] = await listMailbox(test.dataDir)
    assert.equal(stored?.to, to)
    assert.match(stored.from, /^Acme Ltd via Tenantry </)
    assert.ok(stored.text.includes(`?token=${TOKEN}`))
    assert.deepEqual(await waiting(test), [])
    has((await log(test))[0], { status: 'sent', attempts: 1, data: null, claimed_by: null })
    assert.ok(!test.logs.join('').includes(TOKEN), 'the token can be read in the log')
  })

  it('a mail of a transaction that fails is never sent', async () => {
    const before = (await listMailbox(test.dataDir)).length
    const failing = test.core.run(async (ctx) => {
      await welcome(ctx, newEmail())
      throw new Error('no')
    })
    await assert.rejects(failing)
    await work(test)
    assert.equal((await listMailbox(test.dataDir)).length, before)
  })

  it('a mail that no module lists, or that is told something else than it declares, is refused', async () => {
    const to = newEmail()
    const unlisted = test.core.run((ctx) => ctx.mail(unlistedMail, { to, data: {} }))
    await assert.rejects(unlisted, /The mail letters\.unlisted belongs to no module of this core/)
    const data: unknown = { name: 'Ada', token: TOKEN }
    const odd = test.core.run((ctx) => ctx.mail(linkMail, { to, data: data as never })) // as plain JavaScript would
    await assert.rejects(odd, /The data of letters\.link has another shape than declared/)
    assert.deepEqual(await waiting(test), [])
  })

  it('the mailbox is a page, and so is each mail', async () => {
    const to = newEmail()
    await test.core.run((ctx) => welcome(ctx, to))
    await work(test)
    const list = await test.request('GET', '/dev/mailbox')
    assert.equal(list.status, 200)
    assert.equal(list.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(list.headers['content-security-policy']), /default-src 'none'/)
    assert.ok(list.text.includes(to))
    const [stored] = await listMailbox(test.dataDir)
    const shown = await test.request('GET', `/dev/mailbox/${stored?.id}`)
    assert.equal(shown.status, 200)
    assert.ok(shown.text.includes(TOKEN))
    for (const id of [newId(), 'none', '..%2f..%2fsecret']) {
      assert.equal((await test.request('GET', `/dev/mailbox/${id}`)).status, 404, id)
    }
  })

  it('the doctor hears where mails go', async () => {
    assert.match(await mailCheck.check(test.core), /mailbox/)
    assert.equal(mailCheck.ready, false)
  })
})

describe('with a mail server', () => {
  let test: TestCore
  let server: SMTPServer
  const received: string[] = []
  let refuse: number | null = null

  before(async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) =>
        done(refuse === null ? null : Object.assign(new Error('not now'), { responseCode: refuse })),
      onData: (stream, session, done) => {
        stream.resume().on('end', () => {
          received.push(...session.envelope.rcptTo.map(({ address }) => address))
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.server.address() as { port: number } // it listens on a port
    const env = { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Test <test@example.com>' }
    test = await createTestCore({ modules: [mail, letters], env })
  })
  after(async () => {
    await test.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  it('a mail is sent, and there is no mailbox page', async () => {
    const to = newEmail()
    await test.core.run((ctx) => welcome(ctx, to))
    await work(test)
    assert.deepEqual(received.splice(0), [to])
    assert.equal((await test.request('GET', '/dev/mailbox')).status, 404)
    assert.equal((await test.request('GET', `/dev/mailbox/${newId()}`)).status, 404)
    assert.match(await mailCheck.check(test.core), /accepts/)
  })

  it('a mail that is not taken now is sent later', async () => {
    const to = newEmail()
    refuse = 451
    await test.core.run((ctx) => welcome(ctx, to))
    await work(test)
    const [row] = await log(test)
    has(row, { status: 'deferred', reason: null, attempts: 1, server_reply: '451 not now', sent_at: null })
    const [job] = await waiting(test)
    assert.equal(job?.run_at, row?.next_attempt_at)
    refuse = null
    test.clock.advance(10 * MINUTES)
    await work(test)
    assert.deepEqual(received.splice(0), [to])
    assert.deepEqual(await waiting(test), [])
    has((await log(test))[0], { status: 'sent', attempts: 2, next_attempt_at: null, failing_since: null })
  })

  it('a mail that can never be delivered is given up', async () => {
    refuse = 550
    await test.core.run((ctx) => welcome(ctx, newEmail()))
    await work(test)
    refuse = null
    assert.deepEqual(await waiting(test), [])
    has((await log(test))[0], { status: 'bounced', server_reply: '550 not now', data: null })
    assert.ok(test.logs.some((line) => line.includes('refused for good')))
  })
})

describe('in production', () => {
  it('has no mailbox page', async () => {
    const secrets = { APP_SECRET: randomToken(), BOOTSTRAP_TOKEN: randomToken() }
    const env = { NODE_ENV: 'production', PUBLIC_URL: 'https://app.example.com', MAIL: 'off', ...secrets }
    const test = await createTestCore({ modules: [mail, letters], env })
    assert.equal((await test.request('GET', '/dev/mailbox')).status, 404)
    await test.close()
  })
})

describe('with MAIL=off', () => {
  it('nothing is written, and what waits is not sent', async (t) => {
    const on = await createTestCore({ modules: [mail, letters] })
    const off = await createTestCore({ modules: [mail, letters], env: { MAIL: 'off' }, database: on.database })
    t.after(() => off.close().then(() => on.close()))
    await off.core.run((ctx) => welcome(ctx, newEmail()))
    assert.deepEqual(await waiting(off), [])
    await on.core.run((ctx) => welcome(ctx, newEmail()))
    await work(off)
    assert.deepEqual(await waiting(off), [])
    has((await log(off))[0], { status: 'canceled', reason: 'mail_off' })
    for (const { dataDir } of [on, off]) assert.deepEqual(await listMailbox(dataDir), [])
    assert.equal(await mailCheck.check(off.core), 'MAIL=off: no mail is sent.')
    assert.equal((await off.request('GET', '/dev/mailbox')).status, 404)
  })
})
