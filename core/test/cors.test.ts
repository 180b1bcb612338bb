import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Answer, Closed, defineModule, defineRoute, Type } from '#kernel'
import { mail } from '../src/modules/mail/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const APP = 'https://app.example.com'
const DEV = 'http://localhost:5173'
const { token } = builtinAuthForTests

const shared = { access: 'public', transaction: 'manual', response: { 200: Closed({}) } } as const // words, as a route wants them
const crossing = defineModule({
  name: 'crossing',
  routes: [
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/crossing',
      summary: 'Read a cookie',
      cookies: Closed({ crumb: Type.Optional(Type.String()) }),
      handler: () => ({}),
    }),
    defineRoute({
      ...shared,
      method: 'PUT',
      path: '/crossing',
      summary: 'Read a header',
      headers: Type.Object({ 'x-kind': Type.Optional(Type.String()) }),
      handler: () => ({}),
    }),
    defineRoute({
      ...shared,
      method: 'OPTIONS',
      path: '/spoken',
      summary: 'Say what is spoken',
      standing: { 'x-spoken': '1.0' },
      response: { 204: null },
      handler: () => new Answer(204, undefined, { 'x-known': '0.9, 1.0' }),
    }),
    defineRoute({
      ...shared,
      method: 'PATCH',
      path: '/spoken',
      summary: 'Speak',
      headers: Type.Object({ 'x-word': Type.String() }),
      standing: { 'x-spoken': '1.0' },
      exposes: ['x-heard'],
      handler: () => new Answer(200, {}, { 'x-heard': 'yes' }),
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/varied',
      summary: 'Answer by language',
      handler: () => new Answer(200, {}, { vary: 'accept-language' }),
    }),
  ],
})

const modules = [toy, crossing, mail]
let open: TestCore
let closed: TestCore
before(async () => {
  open = await createTestCore({ modules, env: { CORS_ORIGINS: `${APP}, ${DEV}`, WORKER_PORT: '9' } })
  closed = await createTestCore({ modules, database: open.database })
})
after(async () => {
  await closed?.close()
  await open?.close()
})

const preflight = (path: string, method: string, origin = APP, test = open) =>
  test.app.inject({
    method: 'OPTIONS',
    url: path,
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
  })
/** The headers about origins among those of an answer. */
const crossOriginOf = (headers: Record<string, unknown>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary')

describe('without CORS_ORIGINS', () => {
  it('no answer says a word about origins, and no preflight is answered', async () => {
    const { statusCode, headers } = await preflight('/api/v1/toys', 'POST', APP, closed)
    assert.deepEqual([statusCode, headers.allow, crossOriginOf(headers)], [405, 'GET, HEAD, POST', []])
    const answer = await closed.request('GET', '/health', { headers: { origin: APP } })
    assert.deepEqual([answer.status, crossOriginOf(answer.headers)], [200, []])
  })
})

describe('a preflight', () => {
  it('from a listed origin is told what the path takes', async () => {
    for (const origin of [APP, DEV]) {
      const { statusCode, headers, body } = await preflight('/api/v1/toys', 'POST', origin)
      assert.deepEqual([statusCode, body], [204, ''])
      assert.equal(headers['access-control-allow-origin'], origin)
      assert.equal(headers['access-control-allow-methods'], 'GET, HEAD, POST')
      assert.equal(
        headers['access-control-allow-headers'],
        'Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Store-ID, X-Request-ID',
      )
      assert.equal(headers['access-control-max-age'], '7200')
      assert.equal(headers['access-control-allow-credentials'], undefined)
      assert.match(String(headers.vary), /^Origin,/)
      assert.equal(headers['cache-control'], 'no-store')
      assert.ok(headers['x-request-id'])
    }
  })

  it('allows the headers that routes of the path declare, and credentials where the route asked about reads cookies', async () => {
    const [post, put] = [await preflight('/api/v1/crossing', 'POST'), await preflight('/api/v1/crossing', 'PUT')]
    assert.match(String(put.headers['access-control-allow-headers']), /, x-kind$/)
    assert.equal(post.headers['access-control-allow-credentials'], 'true')
    assert.equal(put.headers['access-control-allow-credentials'], undefined)
  })

  it('is answered also where the path has a route for OPTIONS, which answers all else', async () => {
    const { statusCode, headers } = await preflight('/api/v1/spoken', 'PATCH')
    assert.deepEqual([statusCode, headers['access-control-allow-origin']], [204, APP])
    assert.equal(headers['access-control-allow-methods'], 'OPTIONS, PATCH')
    assert.match(String(headers['access-control-allow-headers']), /, x-word$/)
    assert.equal(headers['x-known'], undefined)
    const others = [
      await preflight('/api/v1/spoken', 'PATCH', 'https://evil.example'),
      await preflight('/api/v1/spoken', 'PATCH', APP, closed),
      await open.app.inject({ method: 'OPTIONS', url: '/api/v1/spoken' }),
    ]
    for (const { statusCode, headers } of others) {
      assert.deepEqual([statusCode, headers['x-known'], headers['x-spoken']], [204, '0.9, 1.0', '1.0'])
      assert.deepEqual(
        crossOriginOf(headers).filter((name) => name !== 'vary'),
        [],
      )
    }
  })

  it('about a path that is not there, from another origin, or that is none is answered as ever', async () => {
    assert.equal((await preflight('/api/v1/nowhere', 'GET')).statusCode, 404)
    for (const origin of [
      'https://evil.example',
      `${APP}.evil.example`,
      'https://APP.example.com',
      'http://app.example.com',
      'null',
      '*',
    ]) {
      const { statusCode, headers } = await preflight('/api/v1/toys', 'POST', origin)
      assert.deepEqual([statusCode, crossOriginOf(headers)], [405, ['vary']], origin)
    }
    const plain = await open.app.inject({ method: 'OPTIONS', url: '/api/v1/toys', headers: { origin: APP } })
    assert.equal(plain.statusCode, 405)
  })
})

describe('an answer', () => {
  it('to a listed origin may be read, whatever it says, and no other may', async () => {
    const answers = [
      await open.request('GET', '/api/v1/toys', { token: token('a'), headers: { origin: APP } }),
      await open.request('GET', '/api/v1/toys', { headers: { origin: APP } }), // 401
      await open.request('POST', '/api/v1/toys', { token: token('a'), body: {}, headers: { origin: APP } }), // 400
      await open.request('DELETE', '/api/v1/toys', { headers: { origin: APP } }), // 405
      await open.request('GET', '/nowhere', { headers: { origin: APP } }), // 404
      await open.request('GET', '/%ff', { headers: { origin: APP } }), // no address at all
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 400, 405, 404, 404],
    )
    for (const { status, headers } of answers) {
      assert.equal(headers['access-control-allow-origin'], APP, `${status}`)
      assert.match(
        String(headers['access-control-expose-headers']),
        /X-Request-ID, Location, Link, .*Retry-After, ETag/,
      )
      assert.equal(headers['access-control-allow-credentials'], undefined)
      assert.equal(headers.vary, 'Origin')
    }
    for (const origin of ['https://evil.example', 'null', `${APP}, ${APP}`]) {
      const { headers } = await open.request('GET', '/api/v1/varied', { headers: { origin } })
      assert.deepEqual(crossOriginOf(headers), ['vary'], origin)
    }
    assert.match(String((await open.request('GET', '/api/v1/toys')).headers.vary), /^Origin\b/)
  })

  it('shows the headers that its route exposes, and those of every answer of it, refusals included', async () => {
    const ask = (headers: Record<string, string>) =>
      open.request('PATCH', '/api/v1/spoken', { headers: { origin: APP, ...headers } })
    for (const [status, headers] of [
      [200, { 'x-word': 'hello' }],
      [400, {}],
    ] as const) {
      const answer = await ask(headers)
      assert.deepEqual([answer.status, answer.headers['x-spoken']], [status, '1.0'])
      assert.match(String(answer.headers['access-control-expose-headers']), /, x-heard, x-spoken$/)
    }
    const { headers } = await open.request('GET', '/api/v1/varied', { headers: { origin: APP } })
    assert.doesNotMatch(String(headers['access-control-expose-headers']), /x-heard|x-spoken/)
  })

  it('allows credentials on routes that read cookies alone, their errors included', async () => {
    const ask = (body: unknown) => open.request('POST', '/api/v1/crossing', { body, headers: { origin: APP } })
    for (const [body, status] of [
      [undefined, 200],
      [{ x: 1 }, 400],
    ] as const) {
      const answer = await ask(body)
      assert.deepEqual([answer.status, answer.headers['access-control-allow-credentials']], [status, 'true'])
    }
  })

  it('that varies by more than the origin says both', async () => {
    assert.equal((await open.request('GET', '/api/v1/varied')).headers.vary, 'Origin, accept-language')
    assert.equal((await closed.request('GET', '/api/v1/varied')).headers.vary, 'accept-language')
  })

  it('that is given before there is a route may be read too', async () => {
    await open.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = open.app.server.address() as AddressInfo // it listens on a port
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /api/v1/toys HTTP/1.1\r\nHost: x\r\nOrigin: ${APP}\r\nExpect: y\r\nConnection: close\r\n\r\n`)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    const answer = Buffer.concat(chunks).toString().toLowerCase()
    assert.match(answer, /^http\/1.1 417/)
    assert.match(answer, /\r\naccess-control-allow-origin: https:\/\/app.example.com\r\n/)
  })

  it('of what is for operators is for no page, whatever the answer', async () => {
    for (const url of ['/dev/mailbox', '/metrics', '/health'])
      for (const method of ['GET', 'POST'] as const) {
        const { statusCode, headers } = await open.app.inject({ method, url, headers: { origin: APP } })
        assert.deepEqual(crossOriginOf(headers), [], `${method} ${url} ${statusCode}`)
        const asked = await preflight(url, method)
        assert.deepEqual([asked.statusCode, crossOriginOf(asked.headers)], [405, []], `${method} ${url}`)
      }
  })

  it('on the port for probes and metrics is for no page', async () => {
    const probes = await open.core.probes()
    const { statusCode, headers } = await probes.inject({ url: '/health', headers: { origin: APP } })
    assert.deepEqual([statusCode, crossOriginOf(headers)], [200, []])
  })
})
