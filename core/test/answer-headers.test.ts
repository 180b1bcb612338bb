import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Answer, Closed, defineModule, defineRoute, Type } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

const shared = { access: 'public', transaction: 'manual', response: { 200: Closed({}) } } as const // words, as a route wants them
/** What the next answer says, by test. */
let headers: Record<string, string> = {}

const saying = defineModule({
  name: 'saying',
  routes: [
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/said',
      summary: 'Say what the test says',
      handler: () => new Answer(200, {}, headers),
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/themed',
      summary: 'Answer by a cookie',
      cookies: Closed({ theme: Type.Optional(Type.String()) }),
      handler: () => new Answer(200, {}, headers),
    }),
    defineRoute({
      ...shared,
      method: 'PUT',
      path: '/made/:name',
      summary: 'Make something',
      response: { 201: Closed({}) },
      handler: () => ({}),
    }),
  ],
})

let t: TestCore
before(async () => {
  t = await createTestCore({ modules: [saying] })
})
after(() => t?.close())

const ask = (path: string, said: Record<string, string>) => {
  headers = said
  return t.request('GET', `/api/v1${path}`)
}

describe('the headers of an answer', () => {
  it('that HTTP cannot carry are our failure, told as a problem and logged', async () => {
    for (const [name, value] of [
      ['x-said', 'a\nb'],
      ['x-said', 'ł'],
      ['x-said', 'a\0'],
      ['x said', 'a'],
    ] as const) {
      const { status, body, headers: sent } = await ask('/said', { [name]: value })
      assert.deepEqual([status, body.code], [500, 'internal_error'], `${name}: ${JSON.stringify(value)}`)
      assert.match(String(sent['content-type']), /^application\/problem\+json/)
    }
    assert.match(t.logs.join(''), /Invalid character in header content/)
  })

  it('are not those that every answer carries, nor cookies and origins by hand, in whatever letters', async () => {
    for (const name of [
      'x-request-id',
      'X-Frame-Options',
      'x-content-type-options',
      'Referrer-Policy',
      'strict-transport-security',
      'Access-Control-Allow-Origin',
      'access-control-expose-headers',
      'Set-Cookie',
    ]) {
      const { status, body, headers: sent } = await ask('/said', { [name]: 'x' })
      assert.deepEqual([status, body.code], [500, 'internal_error'], name)
      assert.notEqual(sent[name.toLowerCase()], 'x')
      assert.ok(t.logs.join('').includes(`sets the header ${name.toLowerCase()}, which the kernel keeps`), name)
    }
    assert.equal((await ask('/said', { 'X-Said': 'a', 'x-said': 'b' })).status, 500)
    assert.equal((await ask('/said', { 'X-Said': 'a' })).headers['x-said'], 'a')
  })

  it('say that an answer that caches may keep hangs on the cookies that its route reads', async () => {
    const kept = { 'Cache-Control': 'public, max-age=60' }
    assert.equal((await ask('/themed', kept)).headers.vary, 'Cookie')
    assert.equal((await ask('/themed', { ...kept, vary: 'accept-language' })).headers.vary, 'accept-language, Cookie')
    assert.equal((await ask('/themed', {})).headers.vary, undefined)
    assert.equal((await ask('/said', kept)).headers.vary, undefined)
  })

  it('name the place of what was made in letters that addresses have', async () => {
    const { status, headers: sent } = await t.request('PUT', '/api/v1/made/%C5%82%2Fx')
    assert.deepEqual([status, sent.location], [201, '/api/v1/made/%C5%82%2Fx'])
  })
})
