import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  createAuthCore,
  login,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  register,
  registerUnproven,
  statusOf,
  tally,
  tokenTo,
  twenty,
} from '../auth.fixture.ts'

let t: TestCore
let owner: Person
before(async () => {
  t = await createAuthCore()
  owner = await register(t, { name: 'Olga Owner', tenant_name: 'Northern Lights' })
})
after(() => t?.close())

const codeOf = ({ status, body }: { status: number; body: { code?: string } }) =>
  status < 300 ? `${status}` : `${status} ${body.code}`
const accept = (body: Record<string, unknown>, token?: string) =>
  t.request('POST', '/api/v1/auth/accept-invite', { body, token })

async function invite(email = `${newId()}@example.com`): Promise<{ email: string; token: string; id: string }> {
  const answer = await t.request('POST', '/api/v1/users/invite', {
    token: owner.token,
    body: { email, name: 'Iris Invited' },
  })
  assert.equal(answer.status, 201, answer.text)
  return { email, token: await tokenTo(t, email, 'invites you'), id: answer.body.id }
}

const addPerson = (body: Record<string, unknown>, token = owner.token) =>
  t.request('POST', '/api/v1/users', { token, body })

test('a new person accepts with a password, and is signed in to the tenant with a proven address', async () => {
  const { email, token } = await invite()
  const missing = await accept({ token })
  assert.deepEqual([missing.status, missing.body.errors[0].pointer], [400, '#/password'])
  const weak = await accept({ token, password: 'northern lights' })
  assert.deepEqual([weak.status, weak.body.errors[0].pointer], [400, '#/password'])
  const answer = await accept({ token, name: 'Iris Arrived', password: PASSWORD })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual([answer.body.tenant_id, answer.body.user.name], [owner.tenantId, 'Iris Arrived'])
  assert.ok(answer.body.user.email_verified_at)
  const members = await t.request('GET', '/api/v1/users', { token: answer.body.access_token })
  const me = members.body.data.find((member: { email: string }) => member.email === email)
  assert.deepEqual([me.status, me.name], ['active', 'Iris Arrived'])
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '400 invalid_token')
  assert.equal((await login(t, email)).status, 200)
})

test('twenty parallel acceptances use the invitation once', async () => {
  const { token } = await invite()
  const answers = await twenty(() => accept({ token, password: PASSWORD }))
  assert.deepEqual(tally(answers), { '200': 1, '400 invalid_token': 19 })
})

test('an account proves itself by its password', async () => {
  const person = await register(t)
  const { token } = await invite(person.email)
  assert.equal(codeOf(await accept({ token })), '401 unauthenticated')
  assert.equal(codeOf(await accept({ token, password: OTHER_PASSWORD })), '401 invalid_credentials')
  const answer = await accept({ token, password: PASSWORD, name: 'Ignored' })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual([answer.body.tenant_id, answer.body.user.name], [owner.tenantId, 'Ada Byron'])
})

test('an account proves itself by being signed in; another one does not', async () => {
  const person = await register(t)
  const { token } = await invite(person.email)
  assert.equal(codeOf(await accept({ token }, owner.token)), '401 invalid_credentials')
  assert.equal(codeOf(await accept({ token }, 'broken.token.here')), '401 unauthenticated')
  const answer = await accept({ token }, person.token)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.tenant_id, owner.tenantId)
  assert.equal(await statusOf(t, person.token), 200)
})

test('guessing at the account of an invited person locks it', async () => {
  const person = await register(t)
  const { token } = await invite(person.email)
  const answers = await twenty(() => accept({ token, password: OTHER_PASSWORD }))
  assert.deepEqual(tally(answers), { '401 invalid_credentials': 10, '429 too_many_attempts': 10 })
})

test('a second factor that is due stands between the password and the tokens', async () => {
  const person = await register(t)
  const { token } = await invite(person.email)
  await t.core.db.systemQuery('update users set two_factor_enabled = true where id = $1', [person.userId])
  const answer = await accept({ token, password: PASSWORD })
  assert.equal(answer.body.two_factor_required, true)
  assert.equal(answer.body.access_token, undefined)
})

test('an invitation sent by a clock that was ahead is worth nothing until that moment has come', async () => {
  const { token } = await invite()
  t.clock.advance(-6 * 60_000)
  assert.equal(codeOf(await accept({ token })), '400 token_expired', 'before a password is asked for')
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '400 token_expired')
  t.clock.advance(6 * 60_000)
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '200')
})

test('links that are unknown, revoked, expired or malformed are told apart only where it helps', async () => {
  const { token, id } = await invite()
  const [tenant, secret = ''] = token.split('.')
  const others = [`${tenant}.${secret.slice(1)}A`, `${newId().replaceAll('-', '')}.${secret}`, secret, `${token}x`, '.']
  for (const each of others)
    assert.equal(codeOf(await accept({ token: each, password: PASSWORD })), '400 invalid_token', each)
  const late = await invite()
  assert.equal((await t.request('DELETE', `/api/v1/users/invitations/${id}`, { token: owner.token })).status, 204)
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '400 invalid_token')
  t.clock.advance(48 * 3_600_000)
  assert.equal(codeOf(await accept({ token: late.token, password: PASSWORD })), '400 token_expired')
  owner = { ...owner, token: (await login(t, owner.email)).body.access_token }
})

test('an account that was opened meanwhile is not taken over by a link that raced it', async () => {
  const { email, token } = await invite()
  await Promise.all([
    register(t, { email, password: OTHER_PASSWORD }).catch(() => undefined),
    accept({ token, password: PASSWORD }),
  ])
  const [first, second] = [await login(t, email, PASSWORD), await login(t, email, OTHER_PASSWORD)]
  assert.deepEqual([first.status, second.status].sort(), [200, 401], 'one password is the right one')
})

test('an invitation to a suspended tenant is not spent', async () => {
  const { token } = await invite()
  const setStatus = (status: string) =>
    t.core.db.systemQuery('update tenants set status = $1 where id = $2', [status, owner.tenantId])
  await setStatus('suspended')
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '403 tenant_suspended')
  await setStatus('active')
  assert.equal((await accept({ token, password: PASSWORD })).status, 200)
})

test('a member added with a password has an account at once', async () => {
  const email = `${newId()}@example.com`
  const answer = await addPerson({
    email: email.toUpperCase(),
    name: 'Petra Payroll',
    password: PASSWORD,
    job_title: 'Books',
  })
  assert.equal(answer.status, 201, answer.text)
  assert.deepEqual([answer.body.status, answer.body.email, answer.body.job_title], ['active', email, 'Books'])
  assert.equal(answer.headers.location, `/api/v1/users/${answer.body.id}`)
  const signedIn = await login(t, email)
  assert.equal(signedIn.body.tenant_id, owner.tenantId)
  const again = await addPerson({ email, name: 'Petra Again', password: OTHER_PASSWORD })
  assert.equal(codeOf(again), '409 already_member')
})

test('a member added without a password is invited', async () => {
  const email = `${newId()}@example.com`
  const answer = await addPerson({ email, name: 'Wanda Waits' })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.body.status, 'invited')
  assert.equal((await accept({ token: await tokenTo(t, email, 'invites you'), password: PASSWORD })).status, 200)
})

test('somebody known elsewhere is invited, and their password stays theirs', async () => {
  const person = await register(t)
  const answer = await addPerson({ email: person.email, name: 'Not Mine', password: OTHER_PASSWORD })
  assert.deepEqual([answer.status, answer.body.status, answer.body.id], [201, 'invited', person.userId])
  assert.equal((await login(t, person.email, OTHER_PASSWORD)).status, 401)
  const back = await login(t, person.email, PASSWORD)
  assert.equal(back.body.tenant_id, person.tenantId, 'an invitation alone opens nothing')
  const forced = await login(t, person.email, PASSWORD, { tenant_id: owner.tenantId })
  assert.equal(codeOf(forced), '403 permission_denied')
})

test('twenty parallel additions of one address make one account', async () => {
  const email = `${newId()}@example.com`
  const answers = await twenty(() => addPerson({ email, name: 'Only One', password: PASSWORD }))
  assert.equal(tally(answers)['201'], 1)
  assert.equal(answers.filter(({ status }) => status === 409).length, 19)
})

test('adding members needs the permission, a good address and a good password', async () => {
  const email = `${newId()}@example.com`
  const { token } = await invite(email)
  const viewer = (await accept({ token, password: PASSWORD })).body.access_token
  const refused = await addPerson({ email: `${newId()}@example.com`, name: 'X' }, viewer)
  assert.deepEqual([codeOf(refused), refused.body.permission], ['403 permission_denied', 'user.create'])
  const bad = await addPerson({ email: 'nobody', name: 'X', password: PASSWORD })
  assert.deepEqual([bad.status, bad.body.errors[0].pointer], [400, '#/email'])
  const weak = await addPerson({ email: `${newId()}@example.com`, name: 'X', password: 'short' })
  assert.deepEqual([weak.status, weak.body.errors[0].pointer], [400, '#/password'])
  assert.equal((await t.request('POST', '/api/v1/users', { body: { email, name: 'X' } })).status, 401)
})

test('an invitation whose sender has left is refused, and nobody is a member by it', async () => {
  const email = `${newId()}@example.com`
  const admin = await addPerson({
    email,
    name: 'Adam Admin',
    password: PASSWORD,
    roles: [{ role_id: await adminRole() }],
  })
  await t.core.db.systemQuery('update users set email_verified_at = now() where id = $1', [admin.body.id])
  const adminToken = (await login(t, email)).body.access_token
  const invited = `${newId()}@example.com`
  const body = { email: invited, roles: [{ role_id: await adminRole() }] }
  assert.equal((await t.request('POST', '/api/v1/users/invite', { token: adminToken, body })).status, 201)
  const token = await tokenTo(t, invited, 'invites you')
  // As if the two had happened at the same moment, each without sight of the other.
  await t.core.db.systemQuery("update members set status = 'disabled' where id = $1", [admin.body.id])
  assert.equal(codeOf(await accept({ token, password: PASSWORD })), '400 invalid_token')
  assert.equal((await login(t, invited)).status, 401, 'there is no account')
  const { body: list } = await t.request('GET', '/api/v1/users/invitations', { token: owner.token })
  assert.ok(!list.data.some((each: { email: string }) => each.email === invited), 'it was taken back')
})

test('who has not proven their address adds nobody, not even with a password', async () => {
  const unproven = await registerUnproven(t)
  for (const password of [undefined, PASSWORD]) {
    const refused = await addPerson({ email: `${newId()}@example.com`, name: 'X', password }, unproven.token)
    assert.deepEqual([codeOf(refused), refused.body.permission], ['403 permission_denied', undefined])
    assert.match(refused.body.detail, /^Confirm your own e-mail address first/)
  }
})

const adminRole = async () =>
  (await t.request('GET', '/api/v1/roles?q=admin', { token: owner.token })).body.data.find(
    ({ name }: { name: string }) => name === 'admin',
  ).id
