import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MINUTES, newId, signatureHeaders } from '#kernel'
import { noticeMail, safetyMail } from '../letters.fixture.ts'
import { markOf } from '../message-id.ts'
import { newEmail, useOffice } from '../office.fixture.ts'
import { complaint, returned } from './returned.fixture.ts'

const { office, post, work, read, sent, listedFor } = useOffice()

describe('reports of mails that came back', () => {
  const secret = () => String(office.test.core.config.mail.reportSecret)
  const signed = (body: string, key = secret(), ms = office.test.clock.ms()) =>
    signatureHeaders({ id: 'm1', body }, [key], ms)
  const report = (reports: object[], headers?: Record<string, string>) => {
    const payload = JSON.stringify({ reports })
    const typed = { 'content-type': 'application/json', ...(headers ?? signed(payload)) }
    return office.test.request('POST', '/api/v1/mails/reports', { payload, headers: typed })
  }
  const passOn = (payload: string) => {
    const headers = { 'content-type': 'message/rfc822', ...signed(payload) }
    return office.test.request('POST', '/api/v1/mails/reports/returned', { payload, headers })
  }
  const idOf = (id: string, tenantId: string | null = office.acme.id) =>
    `<${markOf(office.test.core.secrets, { tenantId, id })}@example.com>`
  const NONE = { taken: 0, ignored: 1 }

  it('mark the mail and its address: nobody is there', async () => {
    const { id, to } = await sent()
    assert.deepEqual((await passOn(returned({ to, messageId: idOf(id) }))).body, { taken: 1, ignored: 0 })
    has(await read(id), { status: 'bounced', server_reply: '550 5.1.1 … no such user' })
    has(await listedFor(to), { reason: 'hard_bounce', mail_id: id })
    const { body } = await office.acme.owner.get('/audit?action=mail.bounced')
    has(body.data[0], { resource_id: id, actor: { type: 'system', label: 'mail' } })
    assert.deepEqual((await passOn(returned({ to, messageId: idOf(id) }))).body, NONE, 'once is enough')
  })

  it('are known by the address that they came back to, where they return nothing of the mail', async () => {
    const { id, to } = await sent()
    const postedTo = `${markOf(office.test.core.secrets, { tenantId: office.acme.id, id })}@bounces.example.com`
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
    const theirs = await post(to, noticeMail, office.other.id)
    await work(office.other)
    assert.equal((await read(theirs, office.other)).status, 'sent')
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

  it('with a mark that is forged change nothing, also of the very mail and its address', async () => {
    const { id, to } = await sent()
    const mark = markOf(office.test.core.secrets, { tenantId: office.acme.id, id })
    // What names tenant and mail stays; the seal, which stands at the end, is another one.
    const forged = mark.slice(0, -1) + (mark.endsWith('a') ? 'b' : 'a')
    assert.deepEqual((await passOn(returned({ to, messageId: `<${forged}@example.com>` }))).body, NONE)
    assert.deepEqual(
      (await report([{ type: 'hard_bounce', mail: `<${forged}@example.com>`, recipient: to }])).body,
      NONE,
    )
    assert.equal((await read(id)).status, 'sent')
    assert.equal((await passOn(returned({ to, messageId: `<${mark}@example.com>` }))).body.taken, 1)
  })

  it('that name a mail that we never sent, or of another installation, change nothing', async () => {
    const to = newEmail()
    const { id } = await sent()
    const mark = markOf(office.test.core.secrets, { tenantId: office.acme.id, id })
    const flipped = (mark.startsWith('a') ? 'b' : 'a') + mark.slice(1)
    for (const messageId of [
      idOf(newId()),
      idOf(id, office.other.id),
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

  it('keep the mails of other tenants from an address only where the provider says so', async () => {
    const theirs = async (to: string) => {
      const id = await post(to, noticeMail, office.other.id)
      await work(office.other)
      return (await read(id, office.other)).status
    }
    const [one, two] = [await sent(), await sent()]
    assert.equal((await passOn(returned({ to: one.to, messageId: idOf(one.id) }))).body.taken, 1)
    has(await listedFor(one.to), { reason: 'hard_bounce' })
    assert.equal(await theirs(one.to), 'sent')
    assert.equal((await report([{ type: 'hard_bounce', mail: idOf(two.id) }])).body.taken, 1)
    assert.equal(await theirs(two.to), 'bounced')
  })

  it('are read at their beginning alone, whatever a stranger adds', async () => {
    const { id, to } = await sent()
    const text = returned({ to, messageId: idOf(id) })
    const preceded = (by: string) => text.replace('Your mail could', `${by}Your mail could`)
    const nothing = { taken: 0, ignored: 0 }
    assert.deepEqual((await passOn(preceded(' \n'.repeat(2_000)))).body, nothing)
    assert.deepEqual((await passOn(preceded('x'.repeat(64 * 1024)))).body, nothing)
    assert.equal((await passOn(`${preceded('More.\r\n'.repeat(1_000))}${' \n'.repeat(300_000)}`)).body.taken, 1)
  })

  it('count while an attempt is under way, also a later one', async () => {
    const { id, to } = await sent()
    const sql = 'update mails set status = $2, sent_at = null, claimed_by = $1 where id = $1'
    for (const status of ['queued', 'deferred']) {
      await office.test.core.db.systemQuery(sql, [id, status])
      assert.equal((await passOn(returned({ to, messageId: idOf(id) }))).body.taken, 1, status)
    }
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
      signed(body, secret(), office.test.clock.ms() - 6 * MINUTES),
      signed(`${body} `),
    ])
      assert.equal((await report(reports, headers)).status, 401)
    for (const headers of [
      { ...signed(body), 'webhook-signature': 'v1,' },
      { ...signed(body), 'webhook-timestamp': 'soon' },
    ])
      assert.equal((await report(reports, headers)).status, 401)
    const missing = await office.test.request('POST', '/api/v1/mails/reports', {
      payload: body,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(missing.status, 400)
    assert.equal((await report([{ type: 'odd', mail: 1 }])).status, 400)
    assert.equal((await passOn('x'.repeat(1024 * 1024 + 1))).status, 413)
  })
})
