import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import {
  addToTenant,
  createAuthCore,
  login,
  type Person,
  refresh,
  register,
  statusOf,
  tally,
  twenty,
} from '../auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t?.close())
afterEach(() => t.clock.start())

const codeOf = ({ status, body }: { status: number; body: { code?: string } }) =>
  status < 300 ? `${status}` : `${status} ${body.code}`
const switchTo = (token: string, tenant_id: string) =>
  t.request('POST', '/api/v1/auth/switch-tenant', { token, body: { tenant_id } })
const setStatus = (table: string, id: string, status: string) =>
  t.core.db.systemQuery(`update ${table} set status = $1 where id = $2`, [status, id])

test('a refresh gives new tokens, and each successor works in its turn', async () => {
  const person = await register(t)
  let token = person.refreshToken
  for (let i = 0; i < 3; i++) {
    const { status, body } = await refresh(t, token)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body).sort(), [
      'access_token',
      'expires_in',
      'refresh_token',
      'tenant_id',
      'token_type',
    ])
    assert.notEqual(body.refresh_token, token)
    assert.equal(body.tenant_id, person.tenantId)
    assert.equal(await statusOf(t, body.access_token), 200)
    token = body.refresh_token
  }
})

test('twenty parallel refreshes with one token give one successor', async () => {
  const person = await register(t)
  const answers = await twenty(() => refresh(t, person.refreshToken))
  assert.deepEqual(tally(answers), { '200': 20 })
  assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1)
  const rows = await t.core.db.systemQuery('select generation from refresh_tokens where user_id = $1 order by 1', [
    person.userId,
  ])
  assert.deepEqual(rows, [{ generation: 1 }, { generation: 2 }])
})

test('within 30 seconds a spent token is answered with the same successor, even one that was used since', async () => {
  const person = await register(t)
  t.clock.stop()
  const first = await refresh(t, person.refreshToken)
  await refresh(t, first.body.refresh_token)
  t.clock.advance(29_999)
  const again = await refresh(t, person.refreshToken)
  assert.equal(again.body.refresh_token, first.body.refresh_token)
  assert.equal(await statusOf(t, again.body.access_token), 200)
})

test('reuse after that ends the session, at the next request, for everything it holds', async () => {
  const person = await register(t)
  const other = await login(t, person.email)
  t.clock.stop()
  const first = await refresh(t, person.refreshToken)
  t.clock.advance(30_000)
  const answers = await twenty(() => refresh(t, person.refreshToken))
  assert.deepEqual(tally(answers), { '401 refresh_token_reused': 20 })
  assert.equal(await statusOf(t, first.body.access_token), '401 session_revoked')
  assert.equal(codeOf(await refresh(t, first.body.refresh_token)), '401 session_revoked')
  assert.equal(await statusOf(t, other.body.access_token), 200, 'other sessions go on')
  const events = await t.core.db.systemQuery(
    "select 1 from audit_logs where tenant_id = $1 and action = 'auth.refresh_token_reused'",
    [person.tenantId],
  )
  assert.equal(events.length, 1)
})

test('what is no refresh token is refused', async () => {
  const person = await register(t)
  for (const token of ['x', 'a'.repeat(43), person.token, `${person.refreshToken}x`]) {
    assert.equal(codeOf(await refresh(t, token)), '401 invalid_refresh_token')
  }
  assert.equal((await t.request('POST', '/api/v1/auth/refresh', { body: {} })).status, 400)
})

test('a session ends when it is not used, or at the age that the tenant allows', async () => {
  const idle = await register(t)
  t.clock.advance(30 * 86_400_000 + 1000)
  assert.equal(codeOf(await refresh(t, idle.refreshToken)), '401 invalid_refresh_token')

  const busy = await register(t)
  const settings = await t.request('PUT', '/api/v1/tenants/current/settings', {
    token: busy.token,
    body: { session_max_age_hours: 1 },
  })
  assert.equal(settings.status, 200, settings.text)
  t.clock.advance(55 * 60_000)
  const late = await refresh(t, busy.refreshToken)
  assert.equal(late.status, 200)
  assert.ok(late.body.expires_in <= 300, 'the access token ends with the session')
  t.clock.advance(5 * 60_000)
  assert.equal(await statusOf(t, late.body.access_token), '401 access_token_expired')
  assert.equal(codeOf(await refresh(t, late.body.refresh_token)), '401 invalid_refresh_token')
  assert.equal((await login(t, busy.email)).status, 200)
})

test('a refresh looks at person, member and tenant like a sign-in, and a refusal spends nothing', async () => {
  const person = await register(t)
  await setStatus('tenants', person.tenantId, 'suspended')
  assert.equal(codeOf(await refresh(t, person.refreshToken)), '403 tenant_suspended')
  await setStatus('tenants', person.tenantId, 'active')
  await setStatus('users', person.userId, 'disabled')
  assert.equal(codeOf(await refresh(t, person.refreshToken)), '403 account_disabled')
  await setStatus('users', person.userId, 'active')
  await setStatus('members', person.userId, 'disabled')
  assert.equal(codeOf(await refresh(t, person.refreshToken)), '401 session_revoked')
  await setStatus('members', person.userId, 'active')
  assert.equal(codeOf(await refresh(t, person.refreshToken)), '200')
})

test('switching starts a second lineage; what other windows hold goes on in its own tenant', async () => {
  const { person, second } = await inTwoTenants()
  const switched = await switchTo(person.token, second)
  assert.equal(switched.status, 200, switched.text)
  assert.equal(switched.body.tenant_id, second)
  const tenantOf = async (token: string) => (await t.request('GET', '/api/v1/tenants/current', { token })).body.id
  assert.equal(await tenantOf(switched.body.access_token), second)
  assert.equal(await tenantOf(person.token), person.tenantId)
  const here = await refresh(t, person.refreshToken)
  const there = await refresh(t, switched.body.refresh_token)
  assert.deepEqual([here.body.tenant_id, there.body.tenant_id], [person.tenantId, second])
  assert.equal((await login(t, person.email)).body.tenant_id, second, 'it is the tenant last used')
  const sessions = await t.core.db.systemQuery('select 1 from sessions where user_id = $1', [person.userId])
  assert.equal(sessions.length, 2, 'the switch opened none')
})

test('a switch takes no Idempotency-Key: no token is kept to be given again', async () => {
  const person = await register(t)
  const headers = { 'idempotency-key': newId() }
  const again = () =>
    t.request('POST', '/api/v1/auth/switch-tenant', {
      token: person.token,
      body: { tenant_id: person.tenantId },
      headers,
    })
  const [first, second] = [await again(), await again()]
  assert.deepEqual([first.status, second.status], [200, 200])
  assert.notEqual(first.body.refresh_token, second.body.refresh_token)
  assert.equal(second.headers['idempotent-replayed'], undefined)
})

test('nobody switches to a tenant that is not theirs, or that is suspended', async () => {
  const { person, second } = await inTwoTenants()
  const stranger = await register(t)
  assert.equal(codeOf(await switchTo(stranger.token, second)), '403 permission_denied')
  assert.equal(codeOf(await switchTo(stranger.token, crypto.randomUUID())), '403 permission_denied')
  await setStatus('tenants', second, 'suspended')
  assert.equal(codeOf(await switchTo(person.token, second)), '403 tenant_suspended')
  assert.equal((await t.request('POST', '/api/v1/auth/switch-tenant', { body: { tenant_id: second } })).status, 401)
  assert.equal((await switchTo(person.token, 'no id')).status, 400)
})

test('signing out ends the session in all its tenants, tokens in their grace included', async () => {
  const { person, second } = await inTwoTenants()
  const other = await login(t, person.email)
  const switched = await switchTo(person.token, second)
  const fresh = await refresh(t, person.refreshToken)
  assert.equal(await statusOf(t, switched.body.access_token), 200)
  const answer = await t.request('POST', '/api/v1/auth/logout', { token: person.token, body: {} })
  assert.deepEqual([answer.status, answer.text], [204, ''])
  for (const token of [person.token, fresh.body.access_token, switched.body.access_token]) {
    assert.equal(await statusOf(t, token), '401 session_revoked')
  }
  for (const token of [person.refreshToken, fresh.body.refresh_token, switched.body.refresh_token]) {
    assert.equal(codeOf(await refresh(t, token)), '401 session_revoked')
  }
  assert.equal(await statusOf(t, other.body.access_token), 200)
})

test('signing out everywhere ends every session of the person and nobody else’s', async () => {
  const person = await register(t)
  const other = await login(t, person.email)
  const bystander = await register(t)
  assert.equal((await t.request('POST', '/api/v1/auth/logout-all', { token: person.token })).status, 204)
  assert.equal(await statusOf(t, person.token), '401 session_revoked')
  assert.equal(await statusOf(t, other.body.access_token), '401 session_revoked')
  assert.equal(await statusOf(t, bystander.token), 200)
})

test('a revocation reaches another process at its next request', async () => {
  const second = await createAuthCore({ database: t.database })
  try {
    const person = await register(t)
    const clocksApart = t.clock.ms() - second.clock.ms()
    second.clock.advance(clocksApart)
    assert.equal(await statusOf(second, person.token), 200)
    await t.request('POST', '/api/v1/auth/logout', { token: person.token })
    // As soon as it has heard of it, long before it would ask anew by itself.
    await until('it knows', async () => (await statusOf(second, person.token)) === '401 session_revoked')
  } finally {
    await second.close()
  }
})

test('the database does not hold what a refresh token or its successor is', async () => {
  const person = await register(t)
  const next = await refresh(t, person.refreshToken)
  const rows = await t.core.db.systemQuery('select * from refresh_tokens where user_id = $1', [person.userId])
  const text = JSON.stringify(
    rows.map((row) => ({ ...row, token_hash: (row.token_hash as Buffer).toString('base64url') })),
  )
  for (const token of [person.refreshToken, next.body.refresh_token]) assert.ok(!text.includes(token))
})

async function inTwoTenants(): Promise<{ person: Person; second: string }> {
  const person = await register(t)
  const second = (await register(t)).tenantId
  await addToTenant(t, person, second)
  return { person, second }
}
