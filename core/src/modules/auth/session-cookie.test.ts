import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import type { Answered, TestCore } from '../../testing/index.ts'
import {
  addToTenant,
  BOOTSTRAP_TOKEN,
  createAuthCore,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  refresh,
  register,
  statusOf,
  tally,
  tokenTo,
  twenty,
} from './auth.fixture.ts'

const ORIGIN = 'https://app.example'
const SHOP = 'https://shop.example'
const NAME = '__Host-session_refresh'
const own = { origin: ORIGIN, 'x-session-mode': 'cookie' }

let t: TestCore
before(async () => {
  t = await createAuthCore({ env: { PUBLIC_URL: `${ORIGIN}/base`, CORS_ORIGINS: SHOP } })
})
after(() => t?.close())
afterEach(() => t.clock.start())

const FORGOTTEN = { value: '', attributes: ['Path=/', 'Max-Age=0', 'HttpOnly', 'Secure', 'SameSite=Strict'] }

type Headers = Record<string, string>
const post = (path: string, body: unknown, headers: Headers = own, token?: string) =>
  t.request('POST', `/api/v1/auth/${path}`, { body, headers, token: token ?? null })

/** What a browser would keep of an answer: the value of the cookie, and its attributes. */
function cookieOf({ headers }: Answered): { value: string; attributes: string[] } | undefined {
  const given = [headers['set-cookie'] ?? []].flat()
  assert.ok(given.length <= 1)
  const [pair, ...attributes] = String(given[0] ?? '').split('; ')
  if (!pair) return undefined
  const [name, value = ''] = pair.split('=')
  assert.equal(name, NAME)
  return { value, attributes }
}

/** Signed in by a cookie: no token for scripts to keep but the one that ends in minutes. */
function assertInCookie(answer: Answered): string {
  assert.ok(answer.status < 300, answer.text)
  assert.equal('refresh_token' in answer.body, false)
  assert.ok(answer.body.access_token)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const cookie = cookieOf(answer)
  assert.deepEqual(cookie?.attributes, [
    'Path=/',
    `Max-Age=${30 * 24 * 60 * 60}`,
    'HttpOnly',
    'Secure',
    'SameSite=Strict',
  ])
  assert.match(cookie?.value ?? '', /^[\w-]{43}$/)
  return cookie?.value ?? ''
}

const signIn = (person: Person, headers: Headers = own) =>
  post('login', { email: person.email, password: PASSWORD }, headers)
const refreshBy = (cookie: string, headers: Headers = own, body: object = {}) =>
  post('refresh', body, { cookie: `${NAME}=${cookie}`, ...headers })
const codeOf = ({ status, body }: Answered) => (status < 300 ? `${status}` : `${status} ${body.code}`)
const pointers = ({ body }: Answered) => body.errors?.map(({ pointer }: { pointer: string }) => pointer)

describe('a session in a cookie', () => {
  test('begins by every way in, and no answer names its refresh token', async () => {
    const owner = await register(t)
    const email = `${newId()}@example.com`
    const registered = await post('register', { email, password: PASSWORD, name: 'Ada', tenant_name: 'Engines' })
    assert.deepEqual([registered.status, registered.headers.location], [201, '/api/v1/users/me'])
    assertInCookie(registered)
    const session = await signIn(owner)
    assertInCookie(session)
    assertInCookie(await post('switch-tenant', { tenant_id: owner.tenantId }, own, session.body.access_token))
    const bootstrap = {
      bootstrap_token: BOOTSTRAP_TOKEN,
      email: `${newId()}@example.com`,
      password: PASSWORD,
      name: 'Root',
    }
    assertInCookie(await post('bootstrap', bootstrap))
    const invited = `${newId()}@example.com`
    await t.request('POST', '/api/v1/users/invite', { token: owner.token, body: { email: invited } })
    const accepted = { token: await tokenTo(t, invited, 'invites you'), name: 'Neu', password: PASSWORD }
    assertInCookie(await post('accept-invite', accepted))
  })

  test('goes on by the cookie alone, each refresh with another', async () => {
    const person = await register(t)
    let cookie = assertInCookie(await signIn(person))
    for (let i = 0; i < 3; i++) {
      const answer = await refreshBy(cookie)
      assert.equal(answer.body.tenant_id, person.tenantId)
      const next = assertInCookie(answer)
      assert.notEqual(next, cookie)
      assert.equal(await statusOf(t, answer.body.access_token), 200)
      cookie = next
    }
  })

  test('of twenty tabs that refresh at once goes on in all of them', async () => {
    const cookie = assertInCookie(await signIn(await register(t)))
    const answers = await twenty(() => refreshBy(cookie))
    assert.deepEqual(tally(answers), { '200': 20 })
    assert.equal(new Set(answers.map((answer) => cookieOf(answer)?.value)).size, 1)
  })

  test('ends when its cookie is used again later', async () => {
    const cookie = assertInCookie(await signIn(await register(t)))
    const { body } = await refreshBy(cookie)
    t.clock.advance(31_000)
    assert.equal(codeOf(await refreshBy(cookie)), '401 refresh_token_reused')
    assert.equal(await statusOf(t, body.access_token), '401 session_revoked')
  })

  test('whose used cookie comes with somebody else’s tenant leaves no word there', async () => {
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

  test('that is over is forgotten by the browser with the answer that says so', async () => {
    const person = await register(t)
    const used = assertInCookie(await signIn(person))
    await refreshBy(used)
    t.clock.advance(31_000)
    const ended = await signIn(person)
    const revoked = assertInCookie(ended)
    await post('logout', {}, {}, ended.body.access_token)
    const unused = assertInCookie(await signIn(person))
    const over: [cookie: string, code: string][] = [
      [used, 'refresh_token_reused'],
      [revoked, 'session_revoked'],
      [person.refreshToken, 'invalid_refresh_token'],
      ['nobody-knows-it', 'invalid_refresh_token'],
    ]
    for (const [cookie, code] of over) {
      const answer = await refreshBy(cookie)
      assert.deepEqual([codeOf(answer), cookieOf(answer)], [`401 ${code}`, FORGOTTEN])
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
    t.clock.advance(31 * 24 * 60 * 60_000)
    assert.deepEqual(cookieOf(await refreshBy(unused)), FORGOTTEN)
    const other = await post('refresh', { refresh_token: 'nobody-knows-it' }, {})
    assert.deepEqual([codeOf(other), cookieOf(other)], ['401 invalid_refresh_token', undefined])
  })

  test('ends by logout, everywhere and by a new password; the browser forgets the cookie', async () => {
    const person = await register(t)
    for (const path of ['logout', 'logout-all']) {
      const answer = await signIn(person)
      const cookie = assertInCookie(answer)
      const ended = await post(path, {}, own, answer.body.access_token)
      assert.equal(ended.status, 204)
      assert.deepEqual(cookieOf(ended), FORGOTTEN)
      assert.equal(codeOf(await refreshBy(cookie)), '401 session_revoked')
    }
    const [here, there] = [await signIn(person), await signIn(person)]
    const change = { current_password: PASSWORD, new_password: OTHER_PASSWORD }
    const changed = await t.request('POST', '/api/v1/auth/change-password', {
      body: change,
      token: here.body.access_token,
    })
    assert.equal(changed.status, 204)
    assert.equal(codeOf(await refreshBy(cookieOf(there)?.value ?? '')), '401 session_revoked')
    const kept = assertInCookie(await refreshBy(cookieOf(here)?.value ?? ''))
    await post('forgot-password', { email: person.email }, {})
    const token = await tokenTo(t, person.email, 'new password')
    assert.equal((await post('reset-password', { token, password: PASSWORD }, {})).status, 204)
    assert.equal(codeOf(await refreshBy(kept)), '401 session_revoked')
  })
})

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

describe('a cookie and a body', () => {
  test('are never taken together, and neither is taken for the other', async () => {
    const person = await register(t)
    const cookie = assertInCookie(await signIn(person))
    const both = { refresh_token: person.refreshToken }
    const withCookie = { origin: ORIGIN, cookie: `${NAME}=${cookie}` }
    assert.deepEqual(pointers(await refreshBy(cookie, own, both)), ['#/refresh_token'])
    assert.deepEqual(pointers(await post('refresh', both, withCookie)), ['#/refresh_token'])
    assert.deepEqual(pointers(await post('refresh', both)), ['#/refresh_token'])
    assert.deepEqual(pointers(await post('refresh', {}, withCookie)), ['headers/x-session-mode'])
    assert.deepEqual(pointers(await post('refresh', {}, {})), ['#/refresh_token'])
    assert.deepEqual(pointers(await post('refresh', { ...both, tenant_id: person.tenantId }, {})), ['#/tenant_id'])
    assert.equal(codeOf(await post('refresh', {})), '401 invalid_refresh_token')
    assert.deepEqual(pointers(await signIn(person, { ...own, 'x-session-mode': 'token' })), ['headers/x-session-mode'])
    // Nothing of that has used up either.
    t.clock.advance(60_000)
    assertInCookie(await refreshBy(cookie))
    const bare = await refresh(t, person.refreshToken)
    assert.ok(bare.body.refresh_token)
    assert.equal(bare.headers['set-cookie'], undefined)
  })

  test('are kept apart by name: what is not sent over https alone is no session', async () => {
    const cookie = assertInCookie(await signIn(await register(t)))
    const weaker = await post('refresh', {}, { ...own, cookie: `session_refresh=${cookie}` })
    assert.equal(codeOf(weaker), '401 invalid_refresh_token')
    const twice = await post('refresh', {}, { ...own, cookie: `${NAME}=${cookie}; ${NAME}=${cookie}` })
    assert.deepEqual([twice.status, pointers(twice)], [400, [`cookies/${NAME}`]])
    assertInCookie(await refreshBy(cookie))
  })

  test('where PUBLIC_URL is no https, have a plain name and go to the refresh below its path alone', async () => {
    const laptop = await createAuthCore({ env: { PUBLIC_URL: 'http://localhost:3000/base' } })
    try {
      const person = await register(laptop)
      const headers = { origin: 'http://localhost:3000', 'x-session-mode': 'cookie' }
      const ask = (path: string, body: object, more: Headers = {}) =>
        laptop.request('POST', `/api/v1/auth/${path}`, { body, headers: { ...headers, ...more }, token: null })
      const { headers: given } = await ask('login', { email: person.email, password: PASSWORD })
      const written = String(given['set-cookie'])
      assert.match(
        written,
        /^session_refresh=[\w-]{43}; Path=\/base\/api\/v1\/auth\/refresh; Max-Age=\d+; HttpOnly; Same/,
      )
      assert.equal((await ask('refresh', {}, { cookie: written.split(';')[0] ?? '' })).status, 200)
    } finally {
      await laptop.close()
    }
  })

  test('without the header everything is as ever: tokens in the body, no cookie', async () => {
    const person = await register(t)
    const answer = await signIn(person, { origin: 'https://elsewhere.example' })
    assert.ok(answer.body.refresh_token)
    assert.equal(answer.headers['set-cookie'], undefined)
    const ended = await post('logout', {}, {}, answer.body.access_token)
    assert.deepEqual([ended.status, ended.headers['set-cookie']], [204, undefined])
  })
})

describe('a session keeps its refresh tokens where they began', () => {
  const invite = async (by: Person, email: string) => {
    const invited = await t.request('POST', '/api/v1/users/invite', { token: by.token, body: { email } })
    assert.equal(invited.status, 201, invited.text)
    return tokenTo(t, email, 'invites you')
  }

  test('in a cookie: a script with an access token gets no other out of it', async () => {
    const [person, other] = [await register(t), await register(t)]
    const { body } = await signIn(person)
    const acceptance = { token: await invite(other, person.email) }
    const attempts = (headers: Headers) => [
      () => post('switch-tenant', { tenant_id: person.tenantId }, headers, body.access_token),
      () => post('accept-invite', acceptance, headers, body.access_token),
    ]
    for (const attempt of attempts({ origin: ORIGIN })) {
      const answer = await attempt()
      assert.deepEqual([codeOf(answer), pointers(answer)], ['400 invalid_request', ['headers/x-session-mode']])
      assert.deepEqual([answer.body.refresh_token, cookieOf(answer)], [undefined, undefined])
    }
    // Nothing has come of it: the invitation is still there to be accepted.
    for (const attempt of attempts(own)) assertInCookie(await attempt())
  })

  test('in answers: none moves into a cookie', async () => {
    const [person, other] = [await register(t), await register(t)]
    const acceptance = { token: await invite(other, person.email) }
    const switching = { tenant_id: person.tenantId }
    for (const refused of [
      await post('switch-tenant', switching, own, person.token),
      await post('accept-invite', acceptance, own, person.token),
    ])
      assert.deepEqual([codeOf(refused), cookieOf(refused)], ['400 invalid_request', undefined])
    assert.ok((await post('switch-tenant', switching, {}, person.token)).body.refresh_token)
    assert.ok((await post('accept-invite', acceptance, {}, person.token)).body.refresh_token)
  })

  test('and a token that comes the other way is refused, spends nothing and ends nothing', async () => {
    const person = await register(t)
    const answer = await signIn(person)
    const cookie = assertInCookie(answer)
    assert.equal(codeOf(await refresh(t, cookie)), '401 invalid_refresh_token')
    assert.equal(codeOf(await refreshBy(person.refreshToken)), '401 invalid_refresh_token')
    assert.ok((await refresh(t, person.refreshToken)).body.refresh_token)
    const next = assertInCookie(await refreshBy(cookie))
    t.clock.advance(31_000)
    assert.equal(codeOf(await refresh(t, cookie)), '401 invalid_refresh_token')
    assertInCookie(await refreshBy(next))
  })
})

describe('a page of somebody else', () => {
  const foreign: Headers[] = [
    { origin: 'https://evil.example' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
    { origin: `${ORIGIN}.evil.example` },
    { origin: 'http://app.example' },
    { origin: ORIGIN, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    {},
  ]

  test('cannot use a stolen or lent cookie, and spends nothing', async () => {
    const person = await register(t)
    const answer = await signIn(person)
    const cookie = assertInCookie(answer)
    const mode = { 'x-session-mode': 'cookie' }
    for (const headers of foreign) {
      const refused = await post('refresh', {}, { cookie: `${NAME}=${cookie}`, ...mode, ...headers })
      assert.deepEqual(
        [codeOf(refused), cookieOf(refused)],
        ['403 origin_not_allowed', undefined],
        JSON.stringify(headers),
      )
      const silent = await post('refresh', {}, { cookie: `${NAME}=${cookie}`, ...headers })
      assert.ok(silent.status === 403 || silent.status === 400, silent.text)
    }
    t.clock.advance(60_000)
    assertInCookie(await refreshBy(cookie))
    assert.equal(await statusOf(t, answer.body.access_token), 200)
  })

  test('cannot sign somebody in to an account of its own, nor out', async () => {
    const person = await register(t)
    for (const headers of foreign) {
      const given = { ...headers, 'x-session-mode': 'cookie' }
      const answers = [
        await signIn(person, given),
        await post('switch-tenant', { tenant_id: person.tenantId }, given, person.token),
        await post('logout', {}, given, person.token),
      ]
      for (const answer of answers)
        assert.deepEqual([codeOf(answer), cookieOf(answer)], ['403 origin_not_allowed', undefined])
    }
    assert.equal(await statusOf(t, person.token), 200)
  })

  test('of a listed origin of the same site may, and is told so by the preflight', async () => {
    const person = await register(t)
    const headers = { 'x-session-mode': 'cookie', origin: SHOP, 'sec-fetch-site': 'same-site' }
    const answer = await signIn(person, headers)
    const cookie = assertInCookie(answer)
    assert.equal(answer.headers['access-control-allow-credentials'], 'true')
    assertInCookie(await refreshBy(cookie, headers))
    const preflight = await t.app.inject({
      method: 'OPTIONS',
      url: '/api/v1/auth/refresh',
      headers: { origin: SHOP, 'access-control-request-method': 'POST' },
    })
    assert.equal(preflight.headers['access-control-allow-credentials'], 'true')
    assert.match(String(preflight.headers['access-control-allow-headers']), /x-session-mode/)
  })
})

describe('the routes', () => {
  test('that hand out refresh tokens all know the cookie, and no other route allows credentials', () => {
    const handing = t.core.registry.routes.filter(({ response }) =>
      JSON.stringify(response).includes('"refresh_token"'),
    )
    assert.deepEqual(handing.map(({ path }) => path).sort(), [
      '/auth/accept-invite',
      '/auth/bootstrap',
      '/auth/login',
      '/auth/refresh',
      '/auth/register',
      '/auth/switch-tenant',
    ])
    for (const { path, headers, cookies, idempotent } of handing)
      assert.ok(headers?.properties['x-session-mode'] && cookies && !idempotent, path)
    const allowing = t.core.registry.routes.filter(({ cookies }) => cookies !== undefined).map(({ path }) => path)
    assert.deepEqual(allowing.sort(), [...handing.map(({ path }) => path), '/auth/logout', '/auth/logout-all'].sort())
  })
})
