import assert from 'node:assert/strict'
import type { Answered, TestCore } from '../../../testing/index.ts'
import { createAuthCore, PASSWORD, type Person } from '../auth.fixture.ts'

export const ORIGIN = 'https://app.example'
export const SHOP = 'https://shop.example'
export const NAME = '__Host-session_refresh'
/** What a page of ours sends along. */
export const own = { origin: ORIGIN, 'x-session-mode': 'cookie' }
/** What an answer says of a cookie that the browser is to forget. */
export const FORGOTTEN = { value: '', attributes: ['Path=/', 'Max-Age=0', 'HttpOnly', 'Secure', 'SameSite=Strict'] }

export type Headers = Record<string, string>

export const createCookieCore = (): Promise<TestCore> =>
  createAuthCore({ env: { PUBLIC_URL: `${ORIGIN}/base`, CORS_ORIGINS: SHOP } })

/** The calls of a page, to the core that there is when they are made. */
export function pageOf(core: () => TestCore) {
  const post = (path: string, body: unknown, headers: Headers = own, token?: string) =>
    core().request('POST', `/api/v1/auth/${path}`, { body, headers, token: token ?? null })
  const signIn = (person: Person, headers: Headers = own) =>
    post('login', { email: person.email, password: PASSWORD }, headers)
  const refreshBy = (cookie: string, headers: Headers = own, body: object = {}) =>
    post('refresh', body, { cookie: `${NAME}=${cookie}`, ...headers })
  return { post, signIn, refreshBy }
}

/** What a browser would keep of an answer: the value of the cookie, and its attributes. */
export function cookieOf({ headers }: Answered): { value: string; attributes: string[] } | undefined {
  const given = [headers['set-cookie'] ?? []].flat()
  assert.ok(given.length <= 1)
  const [pair, ...attributes] = String(given[0] ?? '').split('; ')
  if (!pair) return undefined
  const [name, value = ''] = pair.split('=')
  assert.equal(name, NAME)
  return { value, attributes }
}

/** Signed in by a cookie: no token for scripts to keep but the one that ends in minutes. */
export function assertInCookie(answer: Answered): string {
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

export const codeOf = ({ status, body }: Answered) => (status < 300 ? `${status}` : `${status} ${body.code}`)
export const pointers = ({ body }: Answered) => body.errors?.map(({ pointer }: { pointer: string }) => pointer)
