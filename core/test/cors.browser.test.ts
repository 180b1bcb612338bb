import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { type Browsing, startBrowsing } from '../src/modules/pages/browser.fixture.ts'
import { type FrontEnd, startFrontEnd } from './front-end.fixture.ts'

let listed: FrontEnd
let stranger: FrontEnd
let browsing: Browsing
let owner: Person
before(async () => {
  listed = await startFrontEnd()
  stranger = await startFrontEnd()
  browsing = await startBrowsing({ env: { CORS_ORIGINS: listed.origin } })
  owner = await register(browsing.test)
})
after(async () => {
  await browsing?.close()
  await stranger?.close()
  await listed?.close()
})

interface Seen {
  status: number
  code?: string
  headers: Record<string, string>
}

/** What a script of the page can see of an answer; the name of the error where it sees none. */
const ask = (page: Page, path: string, init: object = {}): Promise<Seen | string> =>
  // A text, since Node's types know no browser.
  page.evaluate(`fetch(${JSON.stringify(browsing.base + path)}, ${JSON.stringify(init)})
    .then(async (answer) => ({ status: answer.status, code: (await answer.json().catch(() => ({}))).code, headers: Object.fromEntries(answer.headers) }))
    .catch((error) => error.name)`)

const creation = (token: string) => ({
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'from-afar' },
  body: JSON.stringify({ name: 'Opened from afar' }),
})

describe('a page of a listed origin', () => {
  it('works with the API, and reads what it needs of answers and errors', async () => {
    const page = await browsing.visit(listed.origin)
    const made = await ask(page, '/api/v1/stores', creation(owner.token))
    assert.ok(typeof made === 'object', String(made))
    assert.equal(made.status, 201)
    assert.match(made.headers.location ?? '', /^\/api\/v1\/stores\//)
    assert.ok(made.headers['x-request-id'])
    const problems: [path: string, init: object, status: number, code: string][] = [
      ['/api/v1/stores', creation('worthless'), 401, 'invalid_access_token'],
      ['/api/v1/nowhere', {}, 404, 'not_found'],
      ['/api/v1/auth/login', {}, 405, 'method_not_allowed'],
      ['/%ff', {}, 404, 'not_found'],
    ]
    for (const [path, init, status, code] of problems)
      assert.partialDeepStrictEqual(await ask(page, path, init), { status, code }, path)
  })

  it('may not send cookies along where no route reads any', async () => {
    const page = await browsing.visit(listed.origin)
    assert.equal(await ask(page, '/api/openapi.json', { credentials: 'include' }), 'TypeError')
  })
})

describe('a page of any other origin', () => {
  it('reads nothing and changes nothing', async () => {
    const page = await browsing.visit(stranger.origin)
    const stores = async () => (await browsing.test.request('GET', '/api/v1/stores', { token: owner.token })).text
    const before = await stores()
    assert.equal(await ask(page, '/api/openapi.json'), 'TypeError')
    const headers = { ...creation(owner.token).headers, 'idempotency-key': 'from-nowhere' }
    assert.equal(await ask(page, '/api/v1/stores', { ...creation(owner.token), headers }), 'TypeError')
    assert.equal(await stores(), before)
  })
})
