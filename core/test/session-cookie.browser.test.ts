import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { PASSWORD, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { type Browsing, startBrowsing } from '../src/modules/pages/browser.fixture.ts'
import { type FrontEnd, startFrontEnd } from './front-end.fixture.ts'

let listed: FrontEnd
let neighbour: FrontEnd
let elsewhere: FrontEnd
let browsing: Browsing
let ada: Person
/** The cookies that refreshes came with, as the server got them. */
const arrived: string[] = []
before(async () => {
  // Another port is another origin of the same site; `localhost` is another site than 127.0.0.1.
  listed = await startFrontEnd()
  neighbour = await startFrontEnd()
  elsewhere = await startFrontEnd('localhost')
  // A port of its own that was free a moment ago: the server has to know its own address.
  const place = await startFrontEnd()
  await place.close()
  const env = { PUBLIC_URL: place.origin, CORS_ORIGINS: `${listed.origin},${elsewhere.origin}` }
  browsing = await startBrowsing({
    port: Number(new URL(place.origin).port),
    env,
    fastify: (app) => {
      app.addHook('onRequest', async ({ url, headers }) => {
        if (url.endsWith('/refresh')) arrived.push(headers.cookie ?? '')
      })
    },
  })
  ada = await register(browsing.test)
})
after(async () => {
  await browsing?.close()
  for (const frontEnd of [listed, neighbour, elsewhere]) await frontEnd?.close()
})

interface Seen {
  status: number
  body: { access_token?: string; refresh_token?: string; code?: string }
}

/** A call in cookie mode as a script of the page makes it; the name of the error where it may not see the answer. */
const call = (page: Page, path: string, body: object, token?: string): Promise<Seen | string> => {
  const headers = { 'content-type': 'application/json', 'x-session-mode': 'cookie' }
  const init = {
    method: 'POST',
    credentials: 'include',
    headers: token ? { ...headers, authorization: `Bearer ${token}` } : headers,
    body: JSON.stringify(body),
  }
  // A text, since Node's types know no browser.
  return page.evaluate(`fetch(${JSON.stringify(`${browsing.base}/api/v1/auth/${path}`)}, ${JSON.stringify(init)})
    .then(async (answer) => ({ status: answer.status, body: await answer.json().catch(() => ({})) }))
    .catch((error) => error.name)`)
}
const signIn = (page: Page) => call(page, 'login', { email: ada.email, password: PASSWORD })
const statusOf = (seen: Seen | string) => (typeof seen === 'string' ? seen : seen.status)

describe('a session in a cookie of a real browser', () => {
  it('outlives a reload, is seen by no script, and ends with the sign-out', async () => {
    const page = await browsing.visit('/')
    const first = await signIn(page)
    assert.ok(typeof first === 'object' && first.status === 200, JSON.stringify(first))
    assert.deepEqual([first.body.refresh_token, typeof first.body.access_token], [undefined, 'string'])
    assert.equal(await page.evaluate('document.cookie'), '')
    await page.reload()
    const again = await call(page, 'refresh', {})
    assert.ok(typeof again === 'object' && again.status === 200, JSON.stringify(again))
    const [cookie] = await page.context().cookies(`${browsing.base}/api/v1/auth/refresh`)
    assert.partialDeepStrictEqual(cookie, { httpOnly: true, sameSite: 'Strict', path: '/api/v1/auth/refresh' })
    assert.deepEqual(await page.context().cookies(`${browsing.base}/api/v1/auth/login`), [])
    assert.equal(statusOf(await call(page, 'logout', {}, again.body.access_token)), 204)
    assert.deepEqual(await page.context().cookies(), [])
    assert.equal(statusOf(await call(page, 'refresh', {})), 401)
  })

  it('serves a listed front end on another origin of the same site', async () => {
    const page = await browsing.visit(listed.origin)
    assert.equal(statusOf(await signIn(page)), 200)
    await page.reload()
    assert.equal(statusOf(await call(page, 'refresh', {})), 200)
  })

  it('is of no use to pages of others, though the browser sends it for them', async () => {
    const page = await browsing.visit('/')
    assert.equal(statusOf(await signIn(page)), 200)
    await page.goto(neighbour.origin)
    // Its preflight is refused, so that nothing is sent; what needs none reaches the server, which refuses it.
    assert.equal(await call(page, 'refresh', {}), 'TypeError')
    const url = JSON.stringify(`${browsing.base}/api/v1/auth/refresh`)
    await page.evaluate(`fetch(${url}, { method: 'POST', credentials: 'include', mode: 'no-cors', body: 'x' })`)
    assert.match(arrived.at(-1) ?? '', /^session_refresh=./)
    await page.goto(browsing.base)
    assert.equal(statusOf(await call(page, 'refresh', {})), 200)
  })

  it('is not even sent for a page of another site, listed or not', async () => {
    const page = await browsing.visit('/')
    assert.equal(statusOf(await signIn(page)), 200)
    await page.goto(elsewhere.origin)
    const refused = await call(page, 'refresh', {})
    assert.ok(typeof refused === 'object' && refused.status === 403, JSON.stringify(refused))
    assert.equal(refused.body.code, 'origin_not_allowed')
    assert.equal(statusOf(await signIn(page)), 403)
    await page.goto(browsing.base)
    assert.equal(statusOf(await call(page, 'refresh', {})), 200)
  })
})
