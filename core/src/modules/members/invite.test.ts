import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type AppError, type Ctx, HOURS, type Method, MINUTES, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { findUserByEmail, listUserTenants } from '../users/index.ts'
import { findInvitation, splitInvitationToken, useInvitation } from './index.ts'
import { readToken, recorded, roleId } from './members.fixture.ts'

let test: TestCore
let acme: TestTenant

before(async () => {
  test = await createAuthCore()
  acme = await test.foundTenant()
})
after(() => test.close())

const call = (
  method: Method,
  url: `/${string}`,
  { who = acme.owner, body }: { who?: TestPerson; body?: unknown } = {},
) => who.request(method, url, { body })
const invite = (body: object, who = acme.owner) => who.post('/users/invite', body)
const newEmail = () => `${newId()}@example.com`

/** What the sign-in module does with a token, short of the password; the code of the error when it fails. */
async function accept(token: string): Promise<string | undefined> {
  const { tenantId, hash } = splitInvitationToken(token)! // made by the module itself
  const work = async (ctx: Ctx) => {
    const invitation = await findInvitation(ctx.tx, tenantId, hash)
    if (!invitation) return 'invalid_token'
    await useInvitation(ctx, invitation)
    return undefined
  }
  return test.core.run(work, { tenantId }).catch((error: AppError) => error.code)
}

describe('POST /users/invite', () => {
  it('makes the person known, mails them, and gives the roles when they accept', async () => {
    const since = newId()
    const email = newEmail()
    const staff = { role_id: await roleId(acme, 'staff'), store_id: null }
    const { status, body, headers } = await invite({ email: ` ${email.toUpperCase()} `, name: 'Grace', roles: [staff] })
    assert.equal(status, 201, JSON.stringify(body))
    assert.equal(body.email, email)
    assert.equal(headers.location, `/api/v1/users/invitations/${body.id}`)
    assert.equal(Date.parse(body.expires_at) - Date.parse(body.created_at), 48 * HOURS)

    const invited = (await call('GET', `/users/${body.user_id}`)).body
    assert.deepEqual([invited.status, invited.name, invited.roles], ['invited', 'Grace', []])

    assert.equal(await accept(await readToken(test, acme, email)), undefined)
    const joined = (await call('GET', `/users/${body.user_id}`)).body
    assert.deepEqual([joined.status, joined.roles], ['active', [{ ...staff, name: 'staff' }]])
    const tenants = await test.core.run(({ tx }) => listUserTenants(tx, body.user_id))
    assert.equal(tenants.length, 1)
    assert.deepEqual(await recorded(acme, since), ['user.invited', 'role.assigned', 'user.joined'])
  })

  it('invites as viewer without a wish, and tells nothing of an account that exists', async () => {
    const { owner: other } = await test.foundTenant({ name: 'Elsewhere' })
    const { body } = await invite({ email: other.email })
    assert.equal(body.user_id, other.userId)
    assert.deepEqual(body.roles, [{ role_id: await roleId(acme, 'viewer'), store_id: null }])
    const { name, last_login_at, avatar_url } = (await call('GET', `/users/${other.userId}`)).body
    assert.deepEqual([name, last_login_at, avatar_url], [other.email.split('@')[0], null, null])
    await accept(await readToken(test, acme, other.email))
    assert.equal((await call('GET', `/users/${other.userId}`)).body.name, 'Olga Owner')
  })

  it('refuses members, open invitations and what is no address', async () => {
    const email = newEmail()
    assert.equal((await invite({ email })).status, 201)
    for (const taken of [email, acme.owner.email])
      assert.equal((await invite({ email: taken })).body.code, 'already_member')
    const wrong = await invite({ email: 'not an address' })
    assert.equal(wrong.status, 400)
    assert.equal(wrong.body.errors[0].pointer, '#/email')
    assert.equal((await invite({ email: newEmail(), is_owner: true })).status, 400)
  })

  it('lets nobody promise more than they hold', async () => {
    const admin = await acme.member({ role: 'admin' })
    const email = newEmail()
    const owner = { role_id: await roleId(acme, 'owner') }
    const unknown = { role_id: newId() }
    assert.equal((await invite({ email, roles: [owner] }, admin)).status, 403)
    assert.equal((await invite({ email, roles: [unknown] }, admin)).status, 404)
    assert.equal((await invite({ email, roles: [{ ...owner, store_id: newId() }] })).status, 404)
    assert.equal(await findPerson(email), undefined, 'nothing is left of a refused invitation')
    assert.equal((await invite({ email, roles: [] }, admin)).status, 201)
  })

  it('brings people without a role when the caller may not give any', async () => {
    const body = { name: 'Recruiter', permissions: ['user.invite'] }
    const role = await call('POST', '/roles', { body })
    const recruiter = await acme.member()
    await call('POST', `/users/${recruiter.userId}/roles`, { body: { role_id: role.body.id } })
    const invited = await invite({ email: newEmail() }, recruiter)
    assert.equal(invited.status, 201, JSON.stringify(invited.body))
    assert.deepEqual(invited.body.roles, [])
  })
})

const findPerson = (email: string) => test.core.run(({ tx }) => findUserByEmail(tx, email))

describe('an invitation', () => {
  it('expires, and can then be renewed', async () => {
    const email = newEmail()
    const first = await invite({ email })
    const token = await readToken(test, acme, email)
    test.clock.advance(48 * HOURS)
    assert.equal(await accept(token), 'token_expired')
    const again = await invite({ email, name: 'Again' })
    assert.equal(again.status, 201, JSON.stringify(again.body))
    assert.equal(again.body.id, first.body.id)
    assert.equal((await call('GET', `/users/${again.body.user_id}`)).body.name, 'Again')
    assert.equal(await accept(token), 'invalid_token')
    assert.equal(await accept(await readToken(test, acme, email)), undefined)
    assert.equal((await invite({ email })).body.code, 'already_member')
  })

  it('of a clock that was ahead is worth nothing until its moment has come', async () => {
    const email = newEmail()
    await invite({ email })
    const token = await readToken(test, acme, email)
    test.clock.advance(-6 * MINUTES)
    assert.equal(await accept(token), 'token_expired')
    test.clock.advance(6 * MINUTES)
    assert.equal(await accept(token), undefined)
  })

  it('is sent again with a new link, and the old link dies', async () => {
    const email = newEmail()
    const { body } = await invite({ email })
    const old = await readToken(test, acme, email)
    const resend = () => call('POST', `/users/invitations/${body.id}/resend`)
    assert.deepEqual((await resend()).body, body, 'nothing is sent within two minutes')
    test.clock.advance(2 * MINUTES)
    const since = newId()
    const resent = await resend()
    assert.equal(resent.status, 200)
    assert.ok(resent.body.sent_at > body.sent_at)
    assert.deepEqual(await recorded(acme, since), ['invitation.resent'])
    assert.equal(await accept(old), 'invalid_token')
    assert.equal(await accept(await readToken(test, acme, email)), undefined)
    assert.equal((await call('POST', `/users/invitations/${body.id}/resend`)).status, 404)
    assert.equal((await call('DELETE', `/users/invitations/${body.id}`)).status, 404)
  })

  it('is sent again only by who may promise its roles', async () => {
    const owner = { role_id: await roleId(acme, 'owner') }
    const gone = await call('POST', '/roles', { body: { name: 'Passing', permissions: [] } })
    const { body } = await invite({ email: newEmail(), roles: [owner, { role_id: gone.body.id }] })
    const admin = await acme.member({ role: 'admin' })
    const url = `/users/invitations/${body.id}/resend` as const
    assert.equal((await call('POST', url, { who: admin })).status, 403)
    assert.equal((await call('DELETE', `/roles/${gone.body.id}`)).body.code, 'role_in_use')
    assert.equal((await call('POST', url)).status, 200)
  })

  it('is revoked: neither link nor member is left', async () => {
    const email = newEmail()
    const { body } = await invite({ email })
    const token = await readToken(test, acme, email)
    const since = newId()
    assert.equal((await call('DELETE', `/users/invitations/${body.id}`)).status, 204)
    assert.deepEqual(await recorded(acme, since), ['invitation.revoked'])
    assert.equal(await accept(token), 'invalid_token')
    assert.equal((await call('GET', `/users/${body.user_id}`)).status, 404)
    assert.equal((await invite({ email })).status, 201, 'they may be invited again')
  })

  it('dies with the membership that it would have made', async () => {
    const email = newEmail()
    const { body } = await invite({ email })
    const token = await readToken(test, acme, email)
    assert.equal((await call('PUT', `/users/${body.user_id}`, { body: { status: 'active' } })).body.code, 'conflict')
    assert.equal((await call('DELETE', `/users/${body.user_id}`)).status, 204)
    assert.equal(await accept(token), 'invalid_token')
  })

  it('keeps the roles that it names from being deleted, until it is taken back or accepted', async () => {
    const makeRole = async () => (await call('POST', '/roles', { body: { name: newId(), permissions: [] } })).body.id
    const role_id = await makeRole()
    const remove = async () => (await call('DELETE', `/roles/${role_id}`)).body?.code
    const { body } = await invite({ email: newEmail(), roles: [{ role_id }] })
    assert.equal(await remove(), 'role_in_use')
    await call('DELETE', `/users/invitations/${body.id}`)
    assert.equal(await remove(), undefined)

    const other = await makeRole()
    const email = newEmail()
    const invited = await invite({ email, roles: [{ role_id: other }] })
    assert.equal(await accept(await readToken(test, acme, email)), undefined)
    assert.equal((await call('DELETE', `/users/${invited.body.user_id}/roles/${other}`)).status, 204)
    assert.equal((await call('DELETE', `/roles/${other}`)).status, 204)
  })

  it('is not mailed when the request fails', async () => {
    await test.drainJobs(acme.id)
    const before = (await test.mails()).length
    await invite({ email: acme.owner.email })
    await test.drainJobs(acme.id)
    assert.equal((await test.mails()).length, before)
  })
})

describe('GET /users/invitations', () => {
  it('lists what waits, newest first, to this tenant alone, and never a token', async () => {
    const mine = await test.foundTenant({ name: 'Lists' })
    const emails = [newEmail(), newEmail(), newEmail()]
    for (const email of emails) await invite({ email }, mine.owner)
    await accept(await readToken(test, mine, String(emails[0])))
    const { body, text } = await call('GET', '/users/invitations?limit=1', { who: mine.owner })
    const rest = await call('GET', `/users/invitations?limit=1&cursor=${body.next_cursor}`, { who: mine.owner })
    const seen = [...body.data, ...rest.body.data].map(({ email }) => email)
    assert.deepEqual(seen, [emails[2], emails[1]])
    assert.equal(rest.body.next_cursor, null)
    assert.ok(!text.includes('token'))
    const other = body.data[0].id
    assert.equal((await call('DELETE', `/users/invitations/${other}`)).status, 404)
    assert.equal((await call('POST', `/users/invitations/${other}/resend`)).status, 404)
    const staff = await acme.member({ role: 'staff' })
    assert.equal((await call('GET', '/users/invitations', { who: staff })).status, 403)
  })
})

describe('a token', () => {
  it('names its tenant; what has another form names nothing', async () => {
    const email = newEmail()
    await invite({ email })
    const token = await readToken(test, acme, email)
    assert.equal(splitInvitationToken(token)?.tenantId, acme.id)
    for (const wrong of ['', 'x', `${token}x`, token.toUpperCase(), token.replace('.', ''), `${'0'.repeat(32)}.`])
      assert.equal(splitInvitationToken(wrong), null, wrong)
  })
})
