import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { MINUTES, newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  addStranger,
  createAuthCore,
  login,
  mailsTo,
  OTHER_PASSWORD,
  PASSWORD,
  refresh,
  register,
  registerUnproven,
  runJobs,
  statusOf,
  tally,
  tokenTo,
  twenty,
} from '../auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t?.close())

const post = (path: string, body?: unknown, token?: string) =>
  t.request('POST', `/api/v1/auth/${path}`, { body, token })
const codeOf = ({ status, body }: { status: number; body: { code?: string } }) =>
  status < 300 ? `${status}` : `${status} ${body.code}`
const RESET = 'Choose a new password'
const VERIFY = 'Confirm your e-mail address'

async function resetToken(email: string): Promise<string> {
  assert.equal((await post('forgot-password', { email })).status, 202)
  return tokenTo(t, email, RESET)
}

test('a forgotten password is replaced by the link of a mail, and every session ends', async () => {
  const person = await register(t)
  assert.equal((await post('forgot-password', { email: ` ${person.email.toUpperCase()} ` })).status, 202)
  const token = await tokenTo(t, person.email, RESET)
  const answer = await post('reset-password', { token, password: OTHER_PASSWORD })
  assert.deepEqual([answer.status, answer.text], [204, ''])
  assert.equal(await statusOf(t, person.token), '401 session_revoked')
  assert.equal(codeOf(await refresh(t, person.refreshToken)), '401 session_revoked')
  assert.equal(codeOf(await login(t, person.email, PASSWORD)), '401 invalid_credentials')
  const { body } = await login(t, person.email, OTHER_PASSWORD)
  assert.ok(body.user.email_verified_at, 'the link came by mail')
  const subjects = (await mailsTo(t, person.email)).map(({ subject }) => subject)
  assert.ok(subjects.includes('Your password was changed'))
  const events = await t.core.db.systemQuery(
    "select actor_id from audit_logs where tenant_id = $1 and action = 'auth.password_reset'",
    [person.tenantId],
  )
  assert.deepEqual(events, [{ actor_id: person.userId }])
})

test('twenty parallel resets with one token set one password', async () => {
  const person = await register(t)
  const token = await resetToken(person.email)
  const answers = await twenty((i) => post('reset-password', { token, password: `${OTHER_PASSWORD} number ${i}` }))
  assert.deepEqual(tally(answers), { '204': 1, '400 invalid_token': 19 })
  const won = answers.findIndex(({ status }) => status === 204)
  assert.equal((await login(t, person.email, `${OTHER_PASSWORD} number ${won}`)).status, 200)
})

test('a reset lifts the lockout of the account, voids other links, and refuses a weak password without being spent', async () => {
  const person = await register(t)
  const first = await resetToken(person.email)
  assert.equal(await resetToken(person.email), first, 'none is mailed so soon after another')
  t.clock.advance(5 * MINUTES)
  const second = await resetToken(person.email)
  assert.notEqual(first, second)
  for (let i = 0; i < 10; i++) await login(t, person.email, 'certainly not this one')
  assert.equal((await login(t, person.email)).status, 429)
  const weak = await post('reset-password', { token: second, password: 'password1234' })
  assert.equal(weak.body.errors[0].pointer, '#/password')
  assert.equal((await post('reset-password', { token: second, password: OTHER_PASSWORD })).status, 204)
  assert.equal((await login(t, person.email, OTHER_PASSWORD)).status, 200)
  assert.equal(codeOf(await post('reset-password', { token: first, password: PASSWORD })), '400 invalid_token')
})

test('links expire, and are no good for anything else', async () => {
  const person = await registerUnproven(t)
  const reset = await resetToken(person.email)
  const verify = await tokenTo(t, person.email, VERIFY)
  assert.equal(codeOf(await post('reset-password', { token: verify, password: OTHER_PASSWORD })), '400 invalid_token')
  assert.equal(codeOf(await post('verify-email', { token: reset })), '400 invalid_token')
  assert.equal(codeOf(await post('verify-email', { token: 'x' })), '400 invalid_token')
  t.clock.advance(60 * 60_000)
  assert.equal(codeOf(await post('reset-password', { token: reset, password: OTHER_PASSWORD })), '400 token_expired')
  t.clock.advance(23 * 60 * 60_000)
  assert.equal(codeOf(await post('verify-email', { token: verify })), '400 token_expired')
})

test('links to an address that the person has given up are worth nothing', async () => {
  const person = await registerUnproven(t)
  const reset = await resetToken(person.email)
  const verify = await tokenTo(t, person.email, VERIFY)
  await t.core.db.systemQuery('update users set email = $1, email_normalized = $1 where id = $2', [
    `${newId()}@example.com`,
    person.userId,
  ])
  assert.equal(codeOf(await post('reset-password', { token: reset, password: OTHER_PASSWORD })), '400 invalid_token')
  assert.equal(codeOf(await post('verify-email', { token: verify })), '400 invalid_token')
})

test('asking for a link tells nothing: nobody, an invited and a disabled person get the same answer', async () => {
  const disabled = await register(t)
  await runJobs(t)
  await t.core.db.systemQuery("update users set status = 'disabled' where id = $1", [disabled.userId])
  const nobody = `${newId()}@example.com`
  const bodies = []
  for (const email of [nobody, disabled.email, 'no address at all']) {
    const { status, text, headers } = await post('forgot-password', { email })
    bodies.push([status, text, Object.keys(headers).sort()])
  }
  for (const each of bodies) assert.deepEqual(each, bodies[0])
  assert.deepEqual(await mailsTo(t, nobody), [])
  assert.ok(!(await mailsTo(t, disabled.email)).some(({ subject }) => subject === RESET))
})

test('who was invited and has no account may choose a password by such a link', async () => {
  const email = `${newId()}@example.com`
  await addStranger(t, email)
  const token = await resetToken(email)
  assert.equal((await post('reset-password', { token, password: OTHER_PASSWORD })).status, 204)
  assert.equal((await login(t, email, OTHER_PASSWORD)).body.tenant, null)
})

test('asking often while a link is on its way sends one', async () => {
  const person = await register(t)
  await twenty(() => post('forgot-password', { email: person.email }))
  const mails = (await mailsTo(t, person.email)).filter(({ subject }) => subject === RESET)
  assert.equal(mails.length, 1)
})

test('twenty parallel verifications with one token succeed once', async () => {
  const person = await registerUnproven(t)
  const token = await tokenTo(t, person.email, VERIFY)
  const answers = await twenty(() => post('verify-email', { token }))
  assert.deepEqual(tally(answers), { '204': 1, '400 invalid_token': 19 })
  const me = await t.request('GET', '/api/v1/users/me', { token: person.token })
  assert.ok(me.body.email_verified_at)
})

test('the mail that verifies can be had again, until the address is verified', async () => {
  const person = await registerUnproven(t)
  const count = async () => (await mailsTo(t, person.email)).filter(({ subject }) => subject === VERIFY).length
  const resend = async () => (await post('resend-verification', undefined, person.token)).status
  assert.equal(await count(), 1)
  assert.equal(await resend(), 202)
  assert.equal(await count(), 1, 'one was sent a moment ago')
  t.clock.advance(2 * MINUTES)
  assert.equal(await resend(), 202)
  assert.equal(await count(), 2)
  await post('verify-email', { token: await tokenTo(t, person.email, VERIFY) })
  assert.equal(await resend(), 202)
  assert.equal(await count(), 2)
  assert.equal((await post('resend-verification')).status, 401)
})

test('changing the password ends the other sessions and keeps this one', async () => {
  const person = await register(t)
  const other = await login(t, person.email)
  const link = await resetToken(person.email)
  const change = (current_password: string, new_password: string) =>
    post('change-password', { current_password, new_password }, person.token)
  assert.equal(codeOf(await change('certainly not this one', OTHER_PASSWORD)), '401 invalid_credentials')
  const weak = await change(PASSWORD, 'short')
  assert.equal(weak.body.errors[0].pointer, '#/new_password')
  assert.equal((await change(PASSWORD, OTHER_PASSWORD)).status, 204)
  assert.equal(await statusOf(t, person.token), 200)
  assert.equal((await refresh(t, person.refreshToken)).status, 200)
  assert.equal(await statusOf(t, other.body.access_token), '401 session_revoked')
  assert.equal(codeOf(await post('reset-password', { token: link, password: PASSWORD })), '400 invalid_token')
  assert.equal((await login(t, person.email, OTHER_PASSWORD)).status, 200)
  const subjects = (await mailsTo(t, person.email)).map(({ subject }) => subject)
  assert.ok(subjects.includes('Your password was changed'))
})

test('guessing the current password stops the session from guessing, and nothing else', async () => {
  const person = await register(t)
  const answers = await twenty(() =>
    post('change-password', { current_password: 'no', new_password: OTHER_PASSWORD }, person.token),
  )
  assert.deepEqual(tally(answers), { '401 invalid_credentials': 10, '429 too_many_attempts': 10 })
  const right = { current_password: PASSWORD, new_password: OTHER_PASSWORD }
  assert.equal((await post('change-password', right, person.token)).status, 429)
  const other = await login(t, person.email)
  assert.equal(other.status, 200)
  assert.equal((await post('change-password', right, other.body.access_token)).status, 204)
})

test('of two changes with one current password one succeeds', async () => {
  const person = await register(t)
  const answers = await Promise.all(
    ['first', 'second'].map((word) =>
      post('change-password', { current_password: PASSWORD, new_password: `${OTHER_PASSWORD} ${word}` }, person.token),
    ),
  )
  assert.deepEqual(tally(answers), { '204': 1, '401 invalid_credentials': 1 })
})
