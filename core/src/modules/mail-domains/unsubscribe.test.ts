import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, newId } from '#kernel'
import type { Method } from '../../kernel/module.ts'
import type { TestPerson, TestTenant } from '../../testing/index.ts'
import { deliverMail } from '../mail/delivery.ts'
import { unsubscribeToken } from '../mail/unsubscribe/tokens.ts'
import { announce } from '../notifications/notifications.fixture.ts'
import { authenticated, createMailCore, headerOf, type MailCore, signedWith } from './mail-domains.fixture.ts'

const FORM = 'List-Unsubscribe=One-Click'
const FORM_TYPE = 'application/x-www-form-urlencoded'

describe('mails that can be switched off', () => {
  let test: MailCore
  let tenant: TestTenant
  before(async () => {
    test = await createMailCore()
    tenant = await test.foundTenant({ plan: 'business' })
    await test.drainJobs(tenant.id)
  })
  after(() => test.close())

  const newcomer = async () => {
    const person = await tenant.member({ role: 'staff' })
    await test.drainJobs(tenant.id)
    return person
  }

  /** The mails that an announcement brings somebody. */
  async function announced({ email }: TestPerson) {
    const before = test.arrived.length
    await announce(test, tenant.id)
    await test.drainJobs(tenant.id)
    return test.arrived.slice(before).filter(({ to }) => to.includes(email))
  }

  const isMailed = async (person: TestPerson): Promise<boolean> => {
    const { body } = await person.get('/notifications/preferences')
    const kinds: { notification_type: string; email_enabled: boolean }[] = body.data
    return kinds.find(({ notification_type }) => notification_type === 'announcement')?.email_enabled ?? assert.fail()
  }

  const send = (url: string, payload: string = FORM, contentType = FORM_TYPE, method: Method = 'POST') =>
    test.request(method, url, { payload, headers: { 'content-type': contentType } })
  const linkTo = (token: string) => `/unsubscribe?token=${token}`
  const linkOf = (person: TestPerson, kind = 'announcement') =>
    linkTo(unsubscribeToken(test.core, { tenantId: tenant.id, userId: person.userId, kind }))

  it('say so in headers that are signed, and in their text, and one POST ends them', async () => {
    const person = await newcomer()
    const [mail] = await announced(person)
    assert.ok(mail)
    const [url = ''] = headerOf(mail, 'List-Unsubscribe').map((value) => value.replace(/^<|>$/g, ''))
    assert.deepEqual(headerOf(mail, 'List-Unsubscribe-Post'), [FORM])
    assert.equal((await authenticated(test, mail)).result, 'pass')
    const covered = signedWith(mail)?.fields ?? []
    assert.ok(covered.includes('list-unsubscribe') && covered.includes('list-unsubscribe-post'), covered.join())
    const decoded = mail.raw.replace(/=\r\n/g, '').replaceAll('=3D', '=')
    const token = new URL(url).searchParams.get('token') ?? ''
    assert.equal(decoded.split(token).length - 1, 3, 'in the header, the text and the HTML')

    const { pathname, search } = new URL(url)
    const answer = await send(pathname + search)
    assert.deepEqual([answer.status, answer.body], [200, { unsubscribed: true }])
    assert.equal(await isMailed(person), false)
    assert.deepEqual(await announced(person), [])
    assert.equal((await send(pathname + search)).status, 200, 'again is as good as once')
    const log = await tenant.owner.get(`/audit?action=notification_preferences.updated&resource_id=${person.userId}`)
    assert.deepEqual(
      log.body.data.map(({ actor }: { actor: { label: string } }) => actor.label),
      ['link of a mail'],
    )
  })

  it('are not ended by looking: a page asks first', async () => {
    const person = await newcomer()
    const url = linkOf(person)
    const page = await test.request('GET', url)
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.match(page.text, /No more mails like that one\?/)
    assert.equal((await test.request('HEAD', url)).status, 200)
    for (const body of ['', 'List-Unsubscribe', 'One-Click=List'])
      assert.equal((await send(url, body)).status, 400, body)
    assert.equal(await isMailed(person), true)
  })

  it('are ended by either kind of form, and by twenty at once', async () => {
    const person = await newcomer()
    const parts = ['--x', 'Content-Disposition: form-data; name="List-Unsubscribe"', '', 'One-Click', '--x--', '']
    const url = linkOf(person)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        at % 2 === 0 ? send(url) : send(url, parts.join('\r\n'), 'multipart/form-data; boundary=x'),
      ),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    assert.equal(await isMailed(person), false)
    const log = await tenant.owner.get(`/audit?action=notification_preferences.updated&resource_id=${person.userId}`)
    assert.equal(log.body.data.length, 1)
  })

  it('are ended for that person, tenant and kind alone, by a link of ours alone', async () => {
    const [person, other] = [await newcomer(), await newcomer()]
    const url = linkOf(person)
    const bytes = url.slice('/unsubscribe?token='.length)
    const [named = '', signed = ''] = bytes.split('.')
    const flipped = `${named.slice(0, 30)}${named[30] === 'A' ? 'B' : 'A'}${named.slice(31)}`
    const forged = Buffer.from(`${'0'.repeat(32)}announcement`).toString('base64url')
    const bad = [
      `${flipped}.${signed}`,
      named,
      `.${signed}`,
      `${named}.`,
      `${forged}.${signed}`,
      `${bytes}x`,
      '..',
      'a'.repeat(400),
    ]
    for (const token of bad) assert.equal((await send(linkTo(token))).status, 400, token)
    assert.equal((await send('/unsubscribe')).status, 400)
    assert.equal((await send(linkTo('a'.repeat(5_000)))).status, 400)
    assert.equal((await send(url, 'x'.repeat(10_000))).status, 413)
    assert.deepEqual([await isMailed(person), await isMailed(other)], [true, true])
    await send(url)
    assert.deepEqual([await isMailed(person), await isMailed(other)], [false, true])
  })

  it('leave no more once they are ended or their reader has left, nor once more by hand', async () => {
    const [person, leaver] = [await newcomer(), await newcomer()]
    await announced(person)
    const read = async ({ email }: TestPerson, id?: string) => {
      const { body } = await tenant.owner.get(`/mails?${new URLSearchParams({ to: email })}`)
      return id === undefined ? body.data[0] : body.data.find((mail: { id: string }) => mail.id === id)
    }
    const [first, second] = [await read(person), await read(leaver)]
    // As if the mail server had put them off.
    const ids = [first.id, second.id]
    const sql = "update mails set status = 'deferred', sent_at = null where id = any($1)"
    await test.core.db.systemQuery(sql, [ids])
    for (const id of ids) await tenant.run((ctx) => ctx.enqueue(deliverMail, { id }))
    await send(linkOf(person))
    assert.equal((await tenant.owner.delete(`/users/${leaver.userId}`)).status, 204)
    const before = test.arrived.length
    await test.drainJobs(tenant.id)
    assert.equal(
      test.arrived.slice(before).filter(({ to }) => to[0] === person.email || to[0] === leaver.email).length,
      0,
    )
    for (const [who, { id }] of [
      [person, first],
      [leaver, second],
    ] as const) {
      const { status, reason } = await read(who, id)
      assert.deepEqual([status, reason], ['canceled', 'no_longer_valid'])
      const again = await tenant.owner.post(`/mails/${id}/resend`)
      assert.deepEqual(
        [again.status, again.body.detail],
        [409, 'Its recipient has switched such mails off, or has left'],
      )
    }
  })

  it('are ended by a digest for all that it brings', async () => {
    const person = await newcomer()
    const data = [{ notification_type: 'announcement', email_digest: true }]
    assert.equal((await person.put('/notifications/preferences', { data })).status, 200)
    assert.deepEqual(await announced(person), [])
    test.clock.advance(1 * DAYS)
    const before = test.arrived.length
    await test.drainJobs(tenant.id)
    const [mail, ...more] = test.arrived.slice(before).filter(({ to }) => to.includes(person.email))
    assert.ok(mail)
    assert.deepEqual(more, [])
    const [url = ''] = headerOf(mail, 'List-Unsubscribe').map((value) => value.replace(/^<|>$/g, ''))
    const { pathname, search } = new URL(url)
    assert.equal((await send(pathname + search)).status, 200)
    assert.equal(await isMailed(person), false)
  })

  it('that are gone, or about somebody who is, are no error; what concerns security stays on', async () => {
    const person = await newcomer()
    for (const kind of ['no.such_kind', 'x'.repeat(150)]) assert.equal((await send(linkOf(person, kind))).status, 200)
    const nobody = { tenantId: tenant.id, userId: newId(), kind: 'announcement' }
    assert.equal((await send(linkTo(unsubscribeToken(test.core, nobody)))).status, 200)
    const nowhere = { tenantId: newId(), userId: person.userId, kind: 'announcement' }
    assert.equal((await send(linkTo(unsubscribeToken(test.core, nowhere)))).status, 200)
    assert.equal(await isMailed(person), true)
    for (const { kind, canSwitchOff } of test.core.registry.notifications.values())
      if (!canSwitchOff) assert.equal((await send(linkOf(person, kind))).status, 200)
    const { body } = await person.get('/notifications/preferences')
    for (const { can_switch_off, email_enabled } of body.data) assert.ok(can_switch_off || email_enabled)
  })
})
