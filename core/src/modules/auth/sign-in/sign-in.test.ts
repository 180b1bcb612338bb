import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '#kernel'
import { anonymousActor, createContext, noOrigin } from '../../../kernel/create-context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { findMember } from '../../members/index.ts'
import {
  addStranger,
  addToTenant,
  createAuthCore,
  login,
  mailsTo,
  PASSWORD,
  register,
  statusOf,
  tally,
  twenty,
} from '../auth.fixture.ts'
import { passwordHasher } from '../passwords/hash.ts'
import { verifyChallenge } from '../tokens/access-tokens.ts'
import { completeSignIn } from './complete-sign-in.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore({ fullPasswordCost: true })
})
after(() => t?.close())

test('registering makes person, tenant, store and owner, and signs in', async () => {
  const body = { email: ' Grace@Example.COM ', password: PASSWORD, name: 'Grace Hopper', tenant_name: 'Cobol & Co' }
  const answer = await t.request('POST', '/api/v1/auth/register', { body })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers.location, '/api/v1/users/me')
  const { user, tenant, access_token, refresh_token, token_type, expires_in, tenant_id, ...rest } = answer.body
  assert.deepEqual(rest, {})
  assert.equal(user.email, 'grace@example.com')
  assert.ok(user.last_login_at)
  assert.equal(tenant.owner_id, user.id)
  assert.equal(tenant_id, tenant.id)
  assert.deepEqual([token_type, expires_in, typeof refresh_token], ['Bearer', 600, 'string'])
  const stores = await t.request('GET', '/api/v1/stores', { token: access_token })
  assert.deepEqual(
    stores.body.data.map((store: { code: string }) => store.code),
    ['MAIN'],
  )
  const mails = await mailsTo(t, 'grace@example.com')
  assert.deepEqual(
    mails.map(({ subject }) => subject),
    ['Confirm your e-mail address'],
  )
})

test('registering refuses what is wrong, all of it at once, and writes nothing', async () => {
  const email = `${newId()}@example.com`
  const bad = { email, password: 'short', name: 'Al', tenant_name: 'Acme' }
  const weak = await t.request('POST', '/api/v1/auth/register', { body: bad })
  assert.equal(weak.status, 400)
  assert.equal(weak.body.errors[0].pointer, '#/password')
  const context = await t.request('POST', '/api/v1/auth/register', {
    body: { ...bad, password: 'Blue Bottle Coffee', tenant_name: 'Blue Bottle Coffee' },
  })
  assert.equal(context.body.errors[0].pointer, '#/password')
  const malformed = await t.request('POST', '/api/v1/auth/register', { body: { ...bad, email: 'nobody' } })
  assert.deepEqual(
    malformed.body.errors.map((error: { pointer: string }) => error.pointer),
    ['#/email', '#/password'],
  )
  const missing = await t.request('POST', '/api/v1/auth/register', { body: { extra: 1 } })
  assert.equal(missing.body.errors.length, 5)
  const found = await t.core.db.systemQuery('select 1 from users where email = $1', [email])
  assert.equal(found.length, 0)
})

test('of twenty registrations with one address one succeeds; the owner is told of the others', async () => {
  const email = `${newId()}@example.com`
  const answers = await twenty((i) =>
    t.request('POST', '/api/v1/auth/register', {
      body: { email, password: PASSWORD, name: 'Ada Byron', tenant_name: `Racers ${i}` },
    }),
  )
  assert.deepEqual(tally(answers), { '201': 1, '409 email_taken': 19 })
  const people = await t.core.db.systemQuery('select id from users where email = $1', [email])
  assert.equal(people.length, 1)
  const again = await t.request('POST', '/api/v1/auth/register', {
    body: { email, password: PASSWORD, name: 'Ada Byron', tenant_name: 'Late' },
  })
  assert.equal(again.body.code, 'email_taken')
  const mails = await mailsTo(t, email)
  assert.ok(mails.some(({ subject }) => subject === 'You already have an account'))
})

test('of twenty registrations with one slug one succeeds', async () => {
  const slug = `slug-${newId()}`
  const answers = await twenty((i) =>
    t.request('POST', '/api/v1/auth/register', {
      body: {
        email: `s${i}-${newId()}@example.com`,
        password: PASSWORD,
        name: 'Ada',
        tenant_name: 'X',
        tenant_slug: slug,
      },
    }),
  )
  assert.deepEqual(tally(answers), { '201': 1, '409 slug_taken': 19 })
})

test('who was invited but has no account registers under the same id', async () => {
  const email = `${newId()}@example.com`
  const { id } = await addStranger(t, email)
  const person = await register(t, { email, name: 'Now Here' })
  assert.equal(person.userId, id)
  const me = await t.request('GET', '/api/v1/users/me', { token: person.token })
  assert.equal(me.body.name, 'Now Here')
})

test('signing in goes to the tenant last used, else the oldest, or the one asked for', async () => {
  const person = await register(t)
  const second = await register(t)
  await addToTenant(t, person, second.tenantId)
  const tenantOf = async (more = {}) => (await login(t, person.email, PASSWORD, more)).body.tenant_id
  assert.equal(await tenantOf(), person.tenantId)
  assert.equal(await tenantOf({ tenant_id: second.tenantId }), second.tenantId)
  assert.equal(await tenantOf(), second.tenantId)
  await t.core.db.systemQuery('update user_logins set last_tenant_id = null where user_id = $1', [person.userId])
  assert.equal(await tenantOf(), person.tenantId)
  const foreign = await register(t)
  for (const tenant_id of [foreign.tenantId, newId()]) {
    const refused = await login(t, person.email, PASSWORD, { tenant_id })
    assert.equal(`${refused.status} ${refused.body.code}`, '403 permission_denied')
  }
})

test('a person without any tenant signs in to none', async () => {
  const person = await register(t)
  await removeMember(person.tenantId, person.userId)
  const answer = await login(t, person.email)
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual([answer.body.tenant, answer.body.tenant_id], [null, null])
  assert.equal(await statusOf(t, answer.body.access_token), 200)
  const stores = await t.request('GET', '/api/v1/stores', { token: answer.body.access_token })
  assert.equal(stores.body.code, 'tenant_required')
})

test('suspended tenants, disabled memberships and disabled people are kept out', async () => {
  const person = await register(t)
  const other = await register(t)
  await addToTenant(t, person, other.tenantId)
  await setStatus('tenants', 'id', person.tenantId, 'suspended')
  const around = await login(t, person.email)
  assert.equal(around.body.tenant_id, other.tenantId)
  const asked = await login(t, person.email, PASSWORD, { tenant_id: person.tenantId })
  assert.equal(`${asked.status} ${asked.body.code}`, '403 tenant_suspended')
  await t.core.db.systemQuery("update members set status = 'disabled' where tenant_id = $1 and id = $2", [
    other.tenantId,
    person.userId,
  ])
  const none = await login(t, person.email)
  assert.equal(`${none.status} ${none.body.code}`, '403 tenant_suspended')
  await setStatus('users', 'id', person.userId, 'disabled')
  const disabled = await login(t, person.email)
  assert.equal(`${disabled.status} ${disabled.body.code}`, '403 account_disabled')
  const wrong = await login(t, person.email, 'not the password at all')
  assert.equal(wrong.body.code, 'invalid_credentials')
})

test('a second factor that is due is asked for instead of handing out tokens', async () => {
  const person = await register(t)
  await t.core.db.systemQuery('update users set two_factor_enabled = true where id = $1', [person.userId])
  const answer = await login(t, person.email, PASSWORD, { tenant_id: person.tenantId })
  assert.equal(answer.status, 200, answer.text)
  const { two_factor_required, challenge_token, ...rest } = answer.body
  assert.deepEqual([two_factor_required, rest], [true, {}])
  assert.deepEqual(await verifyChallenge(t.core, challenge_token), {
    sub: person.userId,
    method: 'password',
    tid: person.tenantId,
  })
  assert.equal(await statusOf(t, challenge_token), '401 invalid_access_token')
  t.clock.advance(301_000)
  await assert.rejects(verifyChallenge(t.core, challenge_token), { code: 'token_expired' })
  const sessions = await t.core.db.systemQuery('select 1 from sessions where user_id = $1', [person.userId])
  assert.equal(sessions.length, 1, 'only the one of the registration')
})

test('an unknown account, one without a password and a wrong password are told apart by nothing', async () => {
  const person = await register(t)
  const stranger = `${newId()}@example.com`
  await addStranger(t, stranger)
  const bodies = []
  for (const email of [person.email, stranger, `${newId()}@example.com`, 'no address at all']) {
    const { status, body, headers } = await login(t, email, 'certainly not this one')
    bodies.push([status, { ...body, request_id: '' }, Object.keys(headers).sort()])
  }
  for (const each of bodies) assert.deepEqual(each, bodies[0])
})

test('the person is told of a sign-in from a device that is new to them, once', async () => {
  const person = await register(t)
  const from = (agent: string) =>
    t.request('POST', '/api/v1/auth/login', {
      body: { email: person.email, password: PASSWORD },
      headers: { 'user-agent': agent },
    })
  const told = async () =>
    (await mailsTo(t, person.email)).filter(({ subject }) => subject.startsWith('New sign-in')).length
  await login(t, person.email)
  assert.equal(await told(), 0, 'the device of the registration is known')
  const answers = await twenty(() => from('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'))
  assert.deepEqual(tally(answers), { '200': 20 })
  assert.equal(await told(), 1)
  const [mail] = await mailsTo(t, person.email)
  assert.match(mail!.text, /Firefox on Linux/)
})

test('a sign-in is recorded in its tenant, a failed one in the tenant last used', async () => {
  const person = await register(t)
  await login(t, person.email)
  await login(t, person.email, 'certainly not this one')
  const rows = await t.core.db.systemQuery<{ action: string; actor_id: string; new_values: { method?: string } }>(
    "select action, actor_id, new_values from audit_logs where tenant_id = $1 and action like 'auth.%' order by id",
    [person.tenantId],
  )
  assert.deepEqual(
    rows.map(({ action, actor_id, new_values }) => [action, actor_id, new_values.method]),
    [
      ['auth.login', person.userId, 'registration'],
      ['auth.login', person.userId, 'password'],
      ['auth.login_failed', person.userId, undefined],
    ],
  )
})

test('a hash made at a lower cost is made anew at the next sign-in', async () => {
  const { hash } = await import('@node-rs/argon2')
  const person = await register(t)
  const weak = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
  await t.core.db.systemQuery('update user_passwords set hash = $1 where user_id = $2', [weak, person.userId])
  assert.equal((await login(t, person.email)).status, 200)
  const [row] = await t.core.db.systemQuery<{ hash: string }>('select hash from user_passwords where user_id = $1', [
    person.userId,
  ])
  assert.match(row!.hash, /m=19456,t=2,p=1/)
  assert.equal((await login(t, person.email)).status, 200)
})

test('a password that was changed while it was being checked opens no session', async () => {
  const person = await register(t)
  const ctx = createContext(t.core, { tenant: null, storeId: null, actor: anonymousActor, origin: noOrigin })
  const stale = {
    userId: person.userId,
    method: 'password',
    passwordHash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
  }
  await assert.rejects(completeSignIn(ctx, stale), { code: 'invalid_credentials' })
  const sessions = await t.core.db.systemQuery('select 1 from sessions where user_id = $1', [person.userId])
  assert.equal(sessions.length, 1, 'only the one of the registration')
})

test('a membership or tenant that ends takes its tokens along, at the next request', async () => {
  const owner = await register(t)
  const person = await register(t)
  await addToTenant(t, person, owner.tenantId)
  const inside = async () => (await login(t, person.email, PASSWORD, { tenant_id: owner.tenantId })).body.access_token
  const first = await inside()
  assert.equal(await statusOf(t, first), 200)
  const path = `/api/v1/users/${person.userId}`
  const disabled = await t.request('PUT', path, { token: owner.token, body: { status: 'disabled' } })
  assert.equal(disabled.status, 200, disabled.text)
  assert.equal(await statusOf(t, first), '401 session_revoked')
  await t.request('PUT', path, { token: owner.token, body: { status: 'active' } })
  assert.equal(await statusOf(t, first), 200)
  assert.equal((await t.request('DELETE', path, { token: owner.token })).status, 204)
  assert.equal(await statusOf(t, first), '401 session_revoked')
  assert.equal(await statusOf(t, person.token), 200, 'elsewhere they go on')
  await setStatus('tenants', 'id', person.tenantId, 'suspended')
  await t.core.run((ctx) => ctx.forget({ tenantId: person.tenantId }), { tenantId: person.tenantId })
  assert.equal(await statusOf(t, person.token), '403 tenant_suspended')
})

test('more sign-ins than can be hashed are refused for now, and none is lost in between', async () => {
  const person = await register(t)
  const hasher = t.core.use(passwordHasher)
  const signIns = (count: number) => Promise.all(Array.from({ length: count }, () => login(t, person.email)))
  let isFull = true
  const keepFull = async () => {
    while (isFull) await hasher.verifyNothing('x').catch(() => sleep(1))
  }
  const others = Array.from({ length: 150 }, keepFull)
  const early = await signIns(20)
  isFull = false
  const late = await signIns(140)
  await Promise.all(others)
  const { '200': done = 0, '503 unavailable': refused = 0, ...rest } = tally([...early, ...late])
  assert.deepEqual(rest, {})
  assert.ok(done > 0 && refused > 0, `${done} and ${refused}`)
  const full = early.find(({ status }) => status === 503)
  assert.ok(Number(full?.headers['retry-after']) > 0)
})

async function setStatus(table: 'tenants' | 'users', column: string, id: string, status: string) {
  await t.core.db.systemQuery(`update ${table} set status = $1 where ${column} = $2`, [status, id])
}

async function removeMember(tenantId: string, userId: string) {
  await t.core.db.systemQuery('delete from members where tenant_id = $1 and id = $2', [tenantId, userId])
  await t.core.db.systemQuery('delete from user_tenants where tenant_id = $1 and user_id = $2', [tenantId, userId])
  assert.equal(await t.core.run(({ tx }) => findMember(tx, tenantId, userId), { tenantId }), undefined)
}
