import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DAYS, HOURS, MINUTES, newId, signatureHeaders } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { deliverMail } from './delivery.ts'
import { letters, linkMail, noticeMail, pausedMail, safetyMail } from './letters.fixture.ts'
import { markOf } from './message-id.ts'
import { type Peer, startPeer } from './peer.fixture.ts'
import { complaint, returned } from './reports/returned.fixture.ts'
import { forgetMails } from './retention.ts'

let test: TestCore
let peer: Peer
let acme: TestTenant
let other: TestTenant

before(async () => {
  peer = await startPeer()
  const env = { SMTP_URL: peer.url, MAIL_FROM: 'Test <test@example.com>', MAIL_BOUNCE_DOMAIN: 'bounces.example.com' }
  test = await createTestCore({ modules: [...builtinModules, letters], env })
  ;[acme, other] = [await test.foundTenant(), await test.foundTenant()]
})
beforeEach(() => peer.reset())
after(async () => {
  await test.close()
  await peer.close()
})

const newEmail = () => `${newId()}@example.com`
const post = async (to: string, mail = noticeMail, tenantId: string | null = acme.id) => {
  const id = await test.core.run((ctx) => ctx.mail(mail, { to, data: { at: ctx.clock.now() } }), { tenantId })
  assert.ok(id)
  return id
}
const work = (tenant = acme) => test.drainJobs(tenant.id)
const read = async (id: string, tenant = acme) => (await tenant.owner.get(`/mails/${id}`)).body
const refuse = (text: string, code = 550) => peer.onRecipient(() => ({ code, text }))
/** One that the mail server took. */
async function sent(to = newEmail(), mail = noticeMail) {
  const id = await post(to, mail)
  await work()
  return read(id)
}
const listOf = async (tenant = acme) => (await tenant.owner.get('/mails/suppressions?limit=100')).body.data
const listedFor = async (email: string, tenant = acme) =>
  (await listOf(tenant)).find((row: { email: string }) => row.email === email)

describe('the log of mails', () => {
  it('says what the mail server said, without addresses, links and tokens', async () => {
    const to = newEmail()
    const token = 'a-token-that-nobody-may-see'
    refuse(`5.7.1 <${to}> spam https://localhost/verify-email?token=${token} ${token} blocked`)
    const data = { name: 'Ada', token, expiresAt: '2026-01-31T12:00:00.000Z' }
    const id = await test.core.run((ctx) => ctx.mail(linkMail, { to, data }), { tenantId: acme.id })
    await work()
    const row = await read(String(id))
    has(row, {
      status: 'failed',
      reason: 'refused',
      attempts: 1,
      sent_at: null,
      server_reply: '550 5.7.1 … spam … … blocked',
    })
    const rows = await test.core.db.systemQuery('select row_to_json(m) as row from mails m where id = $1', [id])
    const { body: records } = await acme.owner.get('/audit?limit=100')
    for (const text of [row, rows, records, test.logs]) assert.ok(!JSON.stringify(text).includes(token))
  })

  it('knows a mail by the same Message-ID at every attempt, and as its envelope’s sender', async () => {
    const { id } = await sent()
    // As after a crash between the server's word and our writing it down.
    await test.core.db.systemQuery("update mails set status = 'queued', sent_at = null where id = $1", [id])
    await test.core.run((ctx) => ctx.enqueue(deliverMail, { id }), { tenantId: acme.id })
    await work()
    const mark = markOf(test.core.secrets, { tenantId: acme.id, id })
    const ids = peer.received.map(({ raw }) => /^Message-ID:\s*(<[^>]+>)/im.exec(raw)?.[1])
    assert.deepEqual(ids, Array(2).fill(`<${mark}@example.com>`))
    assert.deepEqual(new Set(peer.received.map(({ from }) => from)), new Set([`${mark}@bounces.example.com`]))
  })

  it('is tried again when the server says later, and given up after a day', async () => {
    refuse('4.7.0 try later', 451)
    const id = await post(newEmail())
    await work()
    has(await read(id), { status: 'deferred', attempts: 1, server_reply: '451 4.7.0 try later' })
    for (let hour = 0; hour < 30; hour += 4) {
      test.clock.advance(4 * HOURS + 31 * MINUTES)
      await work()
    }
    const gone = await read(id)
    has(gone, { status: 'failed', reason: 'gave_up', next_attempt_at: null })
    assert.ok(gone.attempts >= 6 && gone.attempts < 30)
  })

  it('is not sent when what it says is of no use any more', async () => {
    const to = newEmail()
    const invited = await acme.owner.post('/users/invite', { email: to })
    assert.equal(invited.status, 201)
    const { body } = await acme.owner.get(`/mails?${new URLSearchParams({ to, kind: 'invitation' })}`)
    const { id } = body.data[0]
    assert.equal((await acme.owner.delete(`/users/invitations/${invited.body.id}`)).status, 204)
    await work()
    has(await read(id), { status: 'canceled', reason: 'no_longer_valid', attempts: 0 })
    assert.equal(peer.received.filter((mail) => mail.to === to).length, 0)
    assert.equal((await acme.owner.post(`/mails/${id}/resend`)).status, 409)
  })
})

describe('a mail that is sent once more', () => {
  it('has a row of its own, and one copy waits however many ask at once', async () => {
    const first = await sent()
    const asked = await Promise.all(Array.from({ length: 20 }, () => acme.owner.post(`/mails/${first.id}/resend`)))
    const made = asked.filter(({ status }) => status === 201)
    assert.equal(made.length, 1)
    assert.ok(asked.every(({ status, body }) => status === 201 || body.code === 'conflict'))
    await work()
    has(await read(made[0]?.body.id), { status: 'sent', resend_of: first.id, to: first.to, subject: first.subject })
    assert.equal(peer.received.length, 2)
    assert.equal((await acme.owner.post(`/mails/${made[0]?.body.id}/resend`)).body.resend_of, first.id)
  })

  it('counts towards what the address gets in an hour, and then waits', async () => {
    const first = await sent()
    for (let i = 0; i < 5; i++) {
      assert.equal((await acme.owner.post(`/mails/${first.id}/resend`)).status, 201)
      await work()
    }
    assert.equal(peer.received.filter(({ to }) => to === first.to).length, 6)
    const { body } = await acme.owner.post(`/mails/${first.id}/resend`)
    await work()
    const waiting = await read(body.id)
    has(waiting, { status: 'queued', attempts: 0 })
    assert.ok(waiting.next_attempt_at > waiting.created_at)
    assert.equal((await acme.owner.post(`/mails/${first.id}/resend`)).status, 409)
    test.clock.advance(1 * HOURS)
    await work()
    assert.equal((await read(body.id)).status, 'sent')
  })

  it('is refused while it waits, and after a week, when its text is gone', async () => {
    const id = await post(newEmail())
    assert.equal((await acme.owner.post(`/mails/${id}/resend`)).status, 409)
    await work()
    test.clock.advance(8 * DAYS)
    await runSchedule(test.core, forgetMails)
    const { status, body } = await acme.owner.post(`/mails/${id}/resend`)
    assert.deepEqual([status, body.detail], [409, 'Its text is not kept any more, a week after it was posted'])
  })
})

describe('a mail that is canceled', () => {
  it('does not leave, and that is on record', async () => {
    const id = await post(newEmail())
    has((await acme.owner.post(`/mails/${id}/cancel`)).body, { status: 'canceled', reason: 'by_hand' })
    await work()
    assert.equal(peer.received.length, 0)
    const { body } = await acme.owner.get('/audit?action=mail.canceled')
    has(body.data[0], { resource_id: id, new_values: { status: 'canceled' } })
    assert.equal((await acme.owner.post(`/mails/${(await sent()).id}/cancel`)).status, 409)
  })

  it('either left or was canceled, never both', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => post(newEmail())))
    const [canceled] = await Promise.all([
      Promise.all(ids.map((id) => acme.owner.post(`/mails/${id}/cancel`))),
      ...Array.from({ length: 3 }, () => work()),
    ])
    await work()
    const rows = await Promise.all(ids.map((id) => read(id)))
    const left = new Set(peer.received.map(({ to }) => to))
    for (const [at, { to, status }] of rows.entries()) {
      assert.equal(left.has(to), status === 'sent', `${status} and ${left.has(to)}`)
      assert.equal(canceled[at]?.status, status === 'sent' ? 409 : 200)
    }
  })

  it('is refused while it is just being sent', async () => {
    const id = await post(newEmail())
    let answer: number | undefined
    peer.onMail(async () => {
      answer = (await acme.owner.post(`/mails/${id}/cancel`)).status
    })
    await work()
    assert.equal(answer, 409)
    assert.equal((await read(id)).status, 'sent')
  })
})

describe('an address at which nobody is', () => {
  it('gets no more mails of the tenant, nor of another one, which learns nothing of the first', async () => {
    const to = newEmail()
    refuse(`5.1.1 <${to}> no such user`)
    const first = await sent(to)
    has(first, { status: 'bounced', reason: 'hard_bounce', server_reply: '550 5.1.1 … no such user' })
    has(await listedFor(to), { reason: 'hard_bounce', mail_id: first.id, server_reply: '550 5.1.1 … no such user' })
    peer.reset()
    has(await sent(to.toUpperCase()), { status: 'suppressed', reason: 'hard_bounce', attempts: 0 })

    assert.equal(await listedFor(to, other), undefined)
    const id = await post(to, noticeMail, other.id)
    await work(other)
    assert.equal(peer.received.length, 0)
    // As if its own mail had come back.
    has(await read(id, other), { status: 'bounced', attempts: 1, server_reply: '550 5.1.1 … no such user' })
    has(await listedFor(to, other), { tenant_id: other.id, mail_id: null })
  })

  it('gets mails again once it is taken off the list, which is on record; a resend says so before', async () => {
    const to = newEmail()
    refuse('5.1.1 no such user')
    const first = await sent(to)
    peer.reset()
    const { status, body } = await acme.owner.post(`/mails/${first.id}/resend`)
    assert.equal(status, 409)
    assert.match(body.detail, /suppression list/)
    const { id } = await listedFor(to)
    assert.equal((await other.owner.delete(`/mails/suppressions/${id}`)).status, 404)
    assert.equal((await acme.owner.delete(`/mails/suppressions/${id}`)).status, 204)
    const { body: records } = await acme.owner.get('/audit?action=mail_suppression.removed')
    has(records.data[0], { resource_id: id, old_values: { email: to } })
    assert.equal((await sent(to)).status, 'sent')
  })

  it('is one only where its server says so: a refusal of another kind, or of a server that does not relay, suppresses nobody', async () => {
    for (const [text, status] of [
      ['5.7.1 we do not like you', 'failed'],
      ['relaying denied', 'bounced'],
      ['5.2.2 mailbox full', 'bounced'],
    ] as const) {
      const to = newEmail()
      refuse(text)
      assert.equal((await sent(to)).status, status, text)
      assert.equal(await listedFor(to), undefined, text)
    }
  })

  it('gets a mail for security again after a day', async () => {
    const to = newEmail()
    refuse('5.1.1 no such user')
    await sent(to, safetyMail)
    peer.reset()
    assert.equal((await sent(to, safetyMail)).status, 'suppressed')
    test.clock.advance(1 * DAYS + 1 * MINUTES)
    assert.equal((await sent(to, safetyMail)).status, 'sent')
    assert.equal((await sent(to)).status, 'suppressed')
  })

  it('keeps mails without a tenant too', async () => {
    const to = newEmail()
    refuse('5.1.1 no such user')
    await sent(to)
    peer.reset()
    const id = await post(to, noticeMail, null)
    await test.drainJobs(null)
    const [row] = await test.core.db.systemQuery('select status, reason, data from global_mails where id = $1', [id])
    assert.deepEqual({ ...Object(row) }, { status: 'suppressed', reason: 'hard_bounce', data: null })
  })
})

describe('reports of mails that came back', () => {
  const secret = () => String(test.core.config.mail.reportSecret)
  const signed = (body: string, key = secret(), ms = test.clock.ms()) => signatureHeaders({ id: 'm1', body }, [key], ms)
  const report = (reports: object[], headers?: Record<string, string>) => {
    const payload = JSON.stringify({ reports })
    const typed = { 'content-type': 'application/json', ...(headers ?? signed(payload)) }
    return test.request('POST', '/api/v1/mails/reports', { payload, headers: typed })
  }
  const passOn = (payload: string) => {
    const headers = { 'content-type': 'message/rfc822', ...signed(payload) }
    return test.request('POST', '/api/v1/mails/reports/returned', { payload, headers })
  }
  const idOf = (id: string, tenantId: string | null = acme.id) =>
    `<${markOf(test.core.secrets, { tenantId, id })}@example.com>`
  const NONE = { taken: 0, ignored: 1 }

  it('mark the mail and its address: nobody is there', async () => {
    const { id, to } = await sent()
    assert.deepEqual((await passOn(returned({ to, messageId: idOf(id) }))).body, { taken: 1, ignored: 0 })
    has(await read(id), { status: 'bounced', server_reply: '550 5.1.1 … no such user' })
    has(await listedFor(to), { reason: 'hard_bounce', mail_id: id })
    const { body } = await acme.owner.get('/audit?action=mail.bounced')
    has(body.data[0], { resource_id: id, actor: { type: 'system', label: 'mail' } })
    assert.deepEqual((await passOn(returned({ to, messageId: idOf(id) }))).body, NONE, 'once is enough')
  })

  it('are known by the address that they came back to, where they return nothing of the mail', async () => {
    const { id, to } = await sent()
    const postedTo = `${markOf(test.core.secrets, { tenantId: acme.id, id })}@bounces.example.com`
    assert.deepEqual((await passOn(returned({ to, messageId: '<x@y>', postedTo }))).body.taken, 1)
    assert.equal((await read(id)).status, 'bounced')
  })

  it('of complaints concern the tenant alone, and keep no mail for security', async () => {
    const { id, to } = await sent()
    assert.equal((await passOn(complaint({ messageId: idOf(id) }))).body.taken, 1)
    has(await read(id), { status: 'sent', reason: 'complaint' })
    has(await listedFor(to), { reason: 'complaint' })
    assert.equal((await sent(to)).status, 'suppressed')
    assert.equal((await sent(to, safetyMail)).status, 'sent')
    const theirs = await post(to, noticeMail, other.id)
    await work(other)
    assert.equal((await read(theirs, other)).status, 'sent')
  })

  it('are taken as JSON, many at once', async () => {
    const [one, two, three] = [await sent(), await sent(), await sent()]
    const { body } = await report([
      { type: 'hard_bounce', mail: idOf(one.id), recipient: one.to, reply: `550 5.1.1 <${one.to}> unknown` },
      { type: 'bounce', mail: idOf(two.id), reply: '552 5.2.2 full' },
      { type: 'complaint', mail: idOf(three.id) },
      { type: 'complaint', mail: '<nothing@example.com>' },
    ])
    assert.deepEqual(body, { taken: 3, ignored: 1 })
    assert.deepEqual(await Promise.all([one, two, three].map(async ({ id }) => (await read(id)).status)), [
      'bounced',
      'bounced',
      'sent',
    ])
    assert.deepEqual([await listedFor(two.to)], [undefined])
  })

  it('that name a mail that we never sent, or of another installation, change nothing', async () => {
    const to = newEmail()
    const { id } = await sent()
    const mark = markOf(test.core.secrets, { tenantId: acme.id, id })
    const flipped = (mark.startsWith('a') ? 'b' : 'a') + mark.slice(1)
    for (const messageId of [
      idOf(newId()),
      idOf(id, other.id),
      `<${flipped}@example.com>`,
      `<${'a'.repeat(64)}@x>`,
      '<>',
    ])
      assert.deepEqual((await passOn(returned({ to, messageId }))).body, NONE, messageId)
    assert.equal((await read(id)).status, 'sent')
    assert.equal(await listedFor(to), undefined)
  })

  it('cannot put another address on the list than the mail went to', async () => {
    const victim = newEmail()
    const { id, to } = await sent()
    assert.deepEqual((await passOn(returned({ to: victim, messageId: idOf(id) }))).body, NONE)
    assert.deepEqual((await report([{ type: 'hard_bounce', mail: idOf(id), recipient: victim }])).body, NONE)
    assert.deepEqual([await listedFor(victim), await listedFor(to)], [undefined, undefined])
  })

  it('of a mail that has not left, of a delay, and of whatever else is no report, change nothing', async () => {
    const waiting = await post(newEmail())
    const { to } = await read(waiting)
    assert.deepEqual((await passOn(returned({ to, messageId: idOf(waiting) }))).body, NONE)
    await work()
    const late = { to, messageId: idOf(waiting) }
    const nothing = { taken: 0, ignored: 0 }
    assert.deepEqual((await passOn(returned({ ...late, action: 'delayed', status: '4.4.1' }))).body, nothing)
    const holiday = `Subject: I am away\r\nMessage-ID: ${idOf(waiting)}\r\n\r\nUntil Monday.`
    for (const raw of [
      holiday,
      'x',
      `${'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'.repeat(5_000)}`,
      `X: ${'y'.repeat(900_000)}\r\n\r\n`,
    ])
      assert.deepEqual((await passOn(raw)).body, nothing)
    assert.equal((await read(waiting)).status, 'sent')
  })

  it('that are not signed, or with another secret, or long ago, are refused', async () => {
    const reports = [{ type: 'complaint', mail: '<a@b>' }]
    const body = JSON.stringify({ reports })
    const others = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    for (const headers of [
      signed(body, others),
      signed(body, secret(), test.clock.ms() - 6 * MINUTES),
      signed(`${body} `),
    ])
      assert.equal((await report(reports, headers)).status, 401)
    for (const headers of [
      { ...signed(body), 'webhook-signature': 'v1,' },
      { ...signed(body), 'webhook-timestamp': 'soon' },
    ])
      assert.equal((await report(reports, headers)).status, 401)
    const missing = await test.request('POST', '/api/v1/mails/reports', {
      payload: body,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(missing.status, 400)
    assert.equal((await report([{ type: 'odd', mail: 1 }])).status, 400)
    assert.equal((await passOn('x'.repeat(1024 * 1024 + 1))).status, 413)
  })
})

describe('the log is kept for 90 days', () => {
  it('and for no tenant longer, nor without one; what waits keeps its text', async () => {
    const [old, global] = [(await sent()).id, await post(newEmail(), noticeMail, null)]
    await test.drainJobs(null)
    test.clock.advance(8 * DAYS)
    const recent = await post(newEmail())
    await runSchedule(test.core, forgetMails)
    const rows = () =>
      test.core.db.systemQuery(
        'select id, data is null as emptied from mails where id = any($1) union all select id, true from global_mails where id = any($1) order by id',
        [[old, global, recent]],
      )
    assert.deepEqual(
      (await rows()).map((row) => ({ ...Object(row) })),
      [
        { id: old, emptied: true },
        { id: global, emptied: true },
        { id: recent, emptied: false },
      ],
    )
    test.clock.advance(82 * DAYS + 1 * MINUTES)
    await runSchedule(test.core, forgetMails)
    await runSchedule(test.core, forgetMails)
    assert.deepEqual(
      (await rows()).map((row) => Object(row).id),
      [recent],
    )
    await acme.owner.post(`/mails/${recent}/cancel`)
  })
})

describe('mails that anybody can cause', () => {
  it('are five in any hour and twenty a day to an address, of all tenants together', async () => {
    const to = newEmail()
    const ask = async (tenantId: string | null) =>
      (await test.core.run((ctx) => ctx.mail(pausedMail, { to, data: { at: ctx.clock.now() }, ifPaused: 'send' }), {
        tenantId,
      })) !== null
    const sentTo = () => peer.received.filter((mail) => mail.to === to).length
    const places = [acme.id, other.id, null]
    for (let hour = 1; hour <= 6; hour++) {
      await Promise.all(Array.from({ length: 12 }, (_, i) => ask(places[i % 3] ?? null)))
      for (const place of places) await test.drainJobs(place)
      assert.ok(sentTo() <= Math.min(5 * hour, 20), `${sentTo()} in ${hour} hours`)
      test.clock.advance(1 * HOURS)
    }
    assert.equal(sentTo(), 20)
  })
})
