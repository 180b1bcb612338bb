import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
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
} from '../auth.fixture.ts'
import {
  assertInCookie,
  codeOf,
  cookieOf,
  createCookieCore,
  FORGOTTEN,
  type Headers,
  NAME,
  ORIGIN,
  own,
  pageOf,
  pointers,
  SHOP,
} from './session-cookie.fixture.ts'

let t: TestCore
before(async () => {
  t = await createCookieCore()
})
after(() => t?.close())
afterEach(() => t.clock.start())

const { post, signIn, refreshBy } = pageOf(() => t)

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
