import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { addToTenant, PASSWORD, type Person, register, statusOf, tally, twenty } from '../auth.fixture.ts'
import { assertInCookie, codeOf, cookieOf, createCookieCore, own, pageOf, pointers } from './session-cookie.fixture.ts'

let t: TestCore
before(async () => {
  t = await createCookieCore()
})
after(() => t?.close())
afterEach(() => t.clock.start())

const { post, signIn, refreshBy } = pageOf(() => t)

describe('tabs in different tenants', () => {
  test('go on in their own, by one cookie', async () => {
    const person = await register(t)
    const other = await register(t)
    await addToTenant(t, person, other.tenantId)
    const first = await signIn(person)
    const switched = await post('switch-tenant', { tenant_id: other.tenantId }, own, first.body.access_token)
    let cookie = assertInCookie(switched)
    for (const tenant_id of [person.tenantId, other.tenantId, person.tenantId.toUpperCase()]) {
      const answer = await refreshBy(cookie, own, { tenant_id })
      assert.equal(answer.body.tenant_id, tenant_id.toLowerCase())
      assert.equal(await statusOf(t, answer.body.access_token), 200)
      cookie = assertInCookie(answer)
    }
    assert.equal((await refreshBy(cookie)).body.tenant_id, person.tenantId)
    assert.equal(await countSwitches(person), 1, 'the switch, and none of the refreshes after it')
  })

  test('at once get tokens of their own tenants and one cookie', async () => {
    const person = await register(t)
    const other = await register(t)
    await addToTenant(t, person, other.tenantId)
    const cookie = assertInCookie(await signIn(person))
    const wanted = (index: number) => (index % 2 ? person.tenantId : other.tenantId)
    const answers = await twenty((index) => refreshBy(cookie, own, { tenant_id: wanted(index) }))
    assert.deepEqual(tally(answers), { '200': 20 })
    for (const [index, { body }] of answers.entries()) assert.equal(body.tenant_id, wanted(index))
    assert.ok((await countSwitches(person)) >= 1, 'that the session came into the other tenant is on record')
    assert.equal(new Set(answers.map((answer) => cookieOf(answer)?.value)).size, 1)
  })

  test('reach no tenant that is not the person’s, and the cookie stays good', async () => {
    const person = await register(t)
    const stranger = await register(t)
    const cookie = assertInCookie(await signIn(person))
    for (const tenant_id of [stranger.tenantId, newId()])
      assert.equal(codeOf(await refreshBy(cookie, own, { tenant_id })), '403 permission_denied')
    assert.deepEqual(pointers(await refreshBy(cookie, own, { tenant_id: 'x' })), ['#/tenant_id'])
    t.clock.advance(60_000)
    assertInCookie(await refreshBy(cookie))
  })

  test('are bound by the age that each allows for itself: a strict one ends no other', async () => {
    const [person, strict] = [await register(t), await register(t)]
    await addToTenant(t, person, strict.tenantId)
    const settings = { token: strict.token, body: { session_max_age_hours: 1 } }
    assert.equal((await t.request('PUT', '/api/v1/tenants/current/settings', settings)).status, 200)
    const into = (cookie: string, { tenantId }: Person) => refreshBy(cookie, own, { tenant_id: tenantId })
    let cookie = assertInCookie(await signIn(person))
    t.clock.advance(30 * 60_000)
    const entered = await into(cookie, strict)
    cookie = assertInCookie(entered)
    assert.ok(entered.body.expires_in <= 30 * 60)
    t.clock.advance(31 * 60_000)
    const tooOld = await into(cookie, strict)
    assert.deepEqual([codeOf(tooOld), cookieOf(tooOld)], ['401 session_revoked', undefined])
    const goneOn = await into(cookie, person)
    cookie = assertInCookie(goneOn)
    assert.equal(await statusOf(t, goneOn.body.access_token), 200)
    t.clock.advance(29 * 24 * 60 * 60_000)
    cookie = assertInCookie(await into(cookie, person))
    t.clock.advance(30 * 24 * 60 * 60_000)
    assert.equal(codeOf(await into(cookie, person)), '401 invalid_refresh_token')
  })

  test('of which the strict one was signed in to go on in the others', async () => {
    const [person, strict] = [await register(t), await register(t)]
    await addToTenant(t, person, strict.tenantId)
    const settings = { token: strict.token, body: { session_max_age_hours: 1 } }
    await t.request('PUT', '/api/v1/tenants/current/settings', settings)
    const credentials = { email: person.email, password: PASSWORD, tenant_id: strict.tenantId }
    const first = assertInCookie(await post('login', credentials))
    t.clock.advance(2 * 60 * 60_000)
    assert.equal(codeOf(await refreshBy(first)), '401 session_revoked')
    const answer = await refreshBy(first, own, { tenant_id: person.tenantId })
    assertInCookie(answer)
    assert.equal(await statusOf(t, answer.body.access_token), 200)
  })

  test('whose last one is lost to the person go on in the others', async () => {
    const person = await register(t)
    const other = await register(t)
    await addToTenant(t, person, other.tenantId)
    const first = await signIn(person)
    const cookie = assertInCookie(
      await post('switch-tenant', { tenant_id: other.tenantId }, own, first.body.access_token),
    )
    await t.request('DELETE', `/api/v1/users/${person.userId}`, { token: other.token })
    const refused = await refreshBy(cookie)
    assert.deepEqual([codeOf(refused), cookieOf(refused)], ['401 session_revoked', undefined])
    assertInCookie(await refreshBy(cookie, own, { tenant_id: person.tenantId }))
  })

  test('whose used cookie comes again, for somebody else’s tenant, leave no word there', async () => {
    const stranger = await register(t)
    for (const tenant_id of [stranger.tenantId, newId()]) {
      const person = await register(t)
      const cookie = assertInCookie(await signIn(person))
      const { body } = await refreshBy(cookie)
      t.clock.advance(31_000)
      assert.equal(codeOf(await refreshBy(cookie, own, { tenant_id })), '401 refresh_token_reused')
      assert.equal(await statusOf(t, body.access_token), '401 session_revoked')
      assert.deepEqual(await listReuse(person), [{ tenant_id: person.tenantId }])
    }
  })
})

/** In which tenants it is on record that a used token of the person came again. */
const listReuse = ({ userId }: Person) =>
  t.core.db.systemQuery<{ tenant_id: string }>(
    "select tenant_id from audit_logs where action = 'auth.refresh_token_reused' and actor_id = $1",
    [userId],
  )

async function countSwitches({ userId }: Person): Promise<number> {
  const rows = await t.core.db.systemQuery<{ count: number }>(
    `select count(*)::int as count from audit_logs
     where action = 'auth.login' and actor_id = $1 and new_values ->> 'method' = 'switch'`,
    [userId],
  )
  return rows[0]?.count ?? 0
}
