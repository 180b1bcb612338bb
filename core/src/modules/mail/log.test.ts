import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAYS, HOURS, MINUTES } from '#kernel'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { deliverMail } from './delivery.ts'
import { linkMail, noticeMail, pausedMail, safetyMail } from './letters.fixture.ts'
import { markOf } from './message-id.ts'
import { newEmail, useOffice } from './office.fixture.ts'
import { forgetMails } from './retention.ts'

const { office, post, work, read, refuse, sent, listedFor } = useOffice()

describe('the log of mails', () => {
  it('says what the mail server said, without addresses, links and tokens', async () => {
    const to = newEmail()
    const token = 'a-token-that-nobody-may-see'
    refuse(`5.7.1 <${to}> spam https://localhost/verify-email?token=${token} ${token} blocked`)
    const data = { name: 'Ada', token, expiresAt: '2026-01-31T12:00:00.000Z' }
    const id = await office.test.core.run((ctx) => ctx.mail(linkMail, { to, data }), { tenantId: office.acme.id })
    await work()
    const row = await read(String(id))
    has(row, {
      status: 'failed',
      reason: 'refused',
      attempts: 1,
      sent_at: null,
      server_reply: '550 5.7.1 … spam … … blocked',
    })
    const rows = await office.test.core.db.systemQuery('select row_to_json(m) as row from mails m where id = $1', [id])
    const { body: records } = await office.acme.owner.get('/audit?limit=100')
    for (const text of [row, rows, records, office.test.logs]) assert.ok(!JSON.stringify(text).includes(token))
  })

  it('knows a mail by the same Message-ID at every attempt, and as its envelope’s sender', async () => {
    const { id } = await sent()
    // As after a crash between the server's word and our writing it down.
    await office.test.core.db.systemQuery("update mails set status = 'queued', sent_at = null where id = $1", [id])
    await office.test.core.run((ctx) => ctx.enqueue(deliverMail, { id }), { tenantId: office.acme.id })
    await work()
    const mark = markOf(office.test.core.secrets, { tenantId: office.acme.id, id })
    const ids = office.peer.received.map(({ raw }) => /^Message-ID:\s*(<[^>]+>)/im.exec(raw)?.[1])
    assert.deepEqual(ids, Array(2).fill(`<${mark}@example.com>`))
    assert.deepEqual(new Set(office.peer.received.map(({ from }) => from)), new Set([`${mark}@bounces.example.com`]))
  })

  it('is tried again when the server says later, and given up after a day', async () => {
    refuse('4.7.0 try later', 451)
    const id = await post(newEmail())
    await work()
    has(await read(id), { status: 'deferred', attempts: 1, server_reply: '451 4.7.0 try later' })
    for (let hour = 0; hour < 30; hour += 4) {
      office.test.clock.advance(4 * HOURS + 31 * MINUTES)
      await work()
    }
    const gone = await read(id)
    has(gone, { status: 'failed', reason: 'gave_up', next_attempt_at: null })
    assert.ok(gone.attempts >= 6 && gone.attempts < 30)
  })

  it('is not sent when what it says is of no use any more', async () => {
    const to = newEmail()
    const invited = await office.acme.owner.post('/users/invite', { email: to })
    assert.equal(invited.status, 201)
    const { body } = await office.acme.owner.get(`/mails?${new URLSearchParams({ to, kind: 'invitation' })}`)
    const { id } = body.data[0]
    assert.equal((await office.acme.owner.delete(`/users/invitations/${invited.body.id}`)).status, 204)
    await work()
    has(await read(id), { status: 'canceled', reason: 'no_longer_valid', attempts: 0 })
    assert.equal(office.peer.received.filter((mail) => mail.to === to).length, 0)
    assert.equal((await office.acme.owner.post(`/mails/${id}/resend`)).status, 409)
  })
})

describe('a mail that is sent once more', () => {
  it('has a row of its own, and one copy waits however many ask at once', async () => {
    const first = await sent()
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => office.acme.owner.post(`/mails/${first.id}/resend`)),
    )
    const made = asked.filter(({ status }) => status === 201)
    assert.equal(made.length, 1)
    assert.ok(asked.every(({ status, body }) => status === 201 || body.code === 'conflict'))
    await work()
    has(await read(made[0]?.body.id), { status: 'sent', resend_of: first.id, to: first.to, subject: first.subject })
    assert.equal(office.peer.received.length, 2)
    assert.equal((await office.acme.owner.post(`/mails/${made[0]?.body.id}/resend`)).body.resend_of, first.id)
  })

  it('counts towards what the address gets in an hour, and then waits', async () => {
    const first = await sent()
    for (let i = 0; i < 5; i++) {
      assert.equal((await office.acme.owner.post(`/mails/${first.id}/resend`)).status, 201)
      await work()
    }
    assert.equal(office.peer.received.filter(({ to }) => to === first.to).length, 6)
    const { body } = await office.acme.owner.post(`/mails/${first.id}/resend`)
    await work()
    const waiting = await read(body.id)
    has(waiting, { status: 'queued', attempts: 0 })
    assert.ok(waiting.next_attempt_at > waiting.created_at)
    assert.equal((await office.acme.owner.post(`/mails/${first.id}/resend`)).status, 409)
    office.test.clock.advance(1 * HOURS)
    await work()
    assert.equal((await read(body.id)).status, 'sent')
  })

  it('is refused while it waits, and after a week, when its text is gone', async () => {
    const id = await post(newEmail())
    assert.equal((await office.acme.owner.post(`/mails/${id}/resend`)).status, 409)
    await work()
    office.test.clock.advance(8 * DAYS)
    await runSchedule(office.test.core, forgetMails)
    const { status, body } = await office.acme.owner.post(`/mails/${id}/resend`)
    assert.deepEqual([status, body.detail], [409, 'Its text is not kept any more, a week after it was posted'])
  })
})

describe('a mail that is canceled', () => {
  it('does not leave, and that is on record', async () => {
    const id = await post(newEmail())
    has((await office.acme.owner.post(`/mails/${id}/cancel`)).body, { status: 'canceled', reason: 'by_hand' })
    await work()
    assert.equal(office.peer.received.length, 0)
    const { body } = await office.acme.owner.get('/audit?action=mail.canceled')
    has(body.data[0], { resource_id: id, new_values: { status: 'canceled' } })
    assert.equal((await office.acme.owner.post(`/mails/${(await sent()).id}/cancel`)).status, 409)
  })

  it('is none that warns somebody, who has to hear of it', async () => {
    const id = await post(newEmail(), safetyMail)
    const { status, body } = await office.acme.owner.post(`/mails/${id}/cancel`)
    assert.deepEqual([status, body.code], [409, 'conflict'])
    await work()
    assert.equal((await read(id)).status, 'sent')
  })

  it('either left or was canceled, never both', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => post(newEmail())))
    const [canceled] = await Promise.all([
      Promise.all(ids.map((id) => office.acme.owner.post(`/mails/${id}/cancel`))),
      ...Array.from({ length: 3 }, () => work()),
    ])
    await work()
    const rows = await Promise.all(ids.map((id) => read(id)))
    const left = new Set(office.peer.received.map(({ to }) => to))
    for (const [at, { to, status }] of rows.entries()) {
      assert.equal(left.has(to), status === 'sent', `${status} and ${left.has(to)}`)
      assert.equal(canceled[at]?.status, status === 'sent' ? 409 : 200)
    }
  })

  it('is refused while it is just being sent', async () => {
    const id = await post(newEmail())
    let answer: number | undefined
    office.peer.onMail(async () => {
      answer = (await office.acme.owner.post(`/mails/${id}/cancel`)).status
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
    office.peer.reset()
    has(await sent(to.toUpperCase()), { status: 'suppressed', reason: 'hard_bounce', attempts: 0 })

    assert.equal(await listedFor(to, office.other), undefined)
    const id = await post(to, noticeMail, office.other.id)
    await work(office.other)
    assert.equal(office.peer.received.length, 0)
    // As if its own mail had come back.
    has(await read(id, office.other), { status: 'bounced', attempts: 1, server_reply: '550 5.1.1 … no such user' })
    has(await listedFor(to, office.other), { tenant_id: office.other.id, mail_id: id })
  })

  it('gets mails again once it is taken off the list, which is on record; a resend says so before', async () => {
    const to = newEmail()
    refuse('5.1.1 no such user')
    const first = await sent(to)
    office.peer.reset()
    const { status, body } = await office.acme.owner.post(`/mails/${first.id}/resend`)
    assert.equal(status, 409)
    assert.match(body.detail, /suppression list/)
    const { id } = await listedFor(to)
    assert.equal((await office.other.owner.delete(`/mails/suppressions/${id}`)).status, 404)
    assert.equal((await office.acme.owner.delete(`/mails/suppressions/${id}`)).status, 204)
    const { body: records } = await office.acme.owner.get('/audit?action=mail_suppression.removed')
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
    office.peer.reset()
    assert.equal((await sent(to, safetyMail)).status, 'suppressed')
    office.test.clock.advance(1 * DAYS + 1 * MINUTES)
    assert.equal((await sent(to, safetyMail)).status, 'sent')
    assert.equal((await sent(to)).status, 'suppressed')
  })

  it('keeps mails without a tenant too', async () => {
    const to = newEmail()
    refuse('5.1.1 no such user')
    await sent(to)
    office.peer.reset()
    const id = await post(to, noticeMail, null)
    await office.test.drainJobs(null)
    const [row] = await office.test.core.db.systemQuery('select status, reason, data from global_mails where id = $1', [
      id,
    ])
    assert.deepEqual({ ...Object(row) }, { status: 'suppressed', reason: 'hard_bounce', data: null })
  })
})

describe('the log is kept for 90 days', () => {
  it('and for no tenant longer, nor without one; what waits keeps its text', async () => {
    const [old, global] = [(await sent()).id, await post(newEmail(), noticeMail, null)]
    await office.test.drainJobs(null)
    office.test.clock.advance(8 * DAYS)
    const recent = await post(newEmail())
    await runSchedule(office.test.core, forgetMails)
    const rows = () =>
      office.test.core.db.systemQuery(
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
    office.test.clock.advance(82 * DAYS + 1 * MINUTES)
    await runSchedule(office.test.core, forgetMails)
    await runSchedule(office.test.core, forgetMails)
    assert.deepEqual(
      (await rows()).map((row) => Object(row).id),
      [recent],
    )
    await office.acme.owner.post(`/mails/${recent}/cancel`)
  })
})

describe('mails that anybody can cause', () => {
  it('are five in any hour and twenty a day to an address, of all tenants together', async () => {
    const to = newEmail()
    const ask = async (tenantId: string | null) =>
      (await office.test.core.run(
        (ctx) => ctx.mail(pausedMail, { to, data: { at: ctx.clock.now() }, ifPaused: 'send' }),
        {
          tenantId,
        },
      )) !== null
    const sentTo = () => office.peer.received.filter((mail) => mail.to === to).length
    const places = [office.acme.id, office.other.id, null]
    for (let hour = 1; hour <= 6; hour++) {
      await Promise.all(Array.from({ length: 12 }, (_, i) => ask(places[i % 3] ?? null)))
      for (const place of places) await office.test.drainJobs(place)
      assert.ok(sentTo() <= Math.min(5 * hour, 20), `${sentTo()} in ${hour} hours`)
      office.test.clock.advance(1 * HOURS)
    }
    assert.equal(sentTo(), 20)
  })
})
