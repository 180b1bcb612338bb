import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Answer, Closed, defineModule, defineRoute, isUuid, newId, Uuid } from '#kernel'
import { standingHeaders } from '../src/kernel/http/headers.ts'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

/** A route that would have everybody's answer kept by every cache. */
const careless = defineModule({
  name: 'careless',
  routes: [
    defineRoute({
      method: 'GET',
      path: '/careless',
      summary: 'Say who I am to all caches',
      access: 'self',
      response: { 200: Closed({ id: Uuid }) },
      handler: (ctx) => new Answer(200, { id: ctx.userId }, { 'cache-control': 'public, max-age=60' }),
    }),
  ],
})

let test: TestCore
let owner: Person
let port: number
before(async () => {
  const env = { RATE_LIMIT_FACTOR: '0', PUBLIC_URL: 'https://app.example' }
  test = await createTestCore({ modules: [...builtinModules, careless], env })
  owner = await register(test)
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(() => test?.close())

const ask = (method: string, path: string, headers: Record<string, string> = {}, token: string | null = owner.token) =>
  test.request(method, `/api/v1${path}`, { token, headers })

interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Sends bytes as they are, and reads the one answer until the server closes the connection. */
function sendRaw(text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n')
      const [first = '', ...lines] = head.split('\r\n')
      const headers = lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ])
      resolve({
        status: Number(first.split(' ')[1]),
        headers: Object.fromEntries(headers),
        body: rest.join('\r\n\r\n'),
      })
    })
  })
}

const STANDING = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'strict-transport-security': 'max-age=31536000',
}

describe('an answer that is given before there is a route', () => {
  const close = 'Connection: close\r\n\r\n'
  const cases: [string, number, string, string][] = [
    [
      'an expectation that nobody meets',
      417,
      'expectation_failed',
      `GET /health HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n${close}`,
    ],
    ['no Host', 400, 'invalid_request', `GET /health HTTP/1.1\r\n${close}`],
    ['two Hosts', 400, 'invalid_request', `GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n${close}`],
    [
      'headers beyond every measure',
      431,
      'headers_too_large',
      `GET /health HTTP/1.1\r\nHost: x\r\nX-Y: ${'y'.repeat(20_000)}\r\n${close}`,
    ],
    [
      'an address beyond every measure',
      431,
      'headers_too_large',
      `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n${close}`,
    ],
    ['no HTTP at all', 400, 'invalid_request', `HELO mail.example.com\r\n${close}`],
    [
      'an address that cannot be decoded',
      404,
      'not_found',
      `GET /api/v1/stores/%ff%fe HTTP/1.1\r\nHost: x\r\n${close}`,
    ],
  ]
  for (const [name, status, code, text] of cases)
    it(`is a whole problem: ${name}`, async () => {
      const answer = await sendRaw(text)
      const problem = JSON.parse(answer.body)
      assert.deepEqual([answer.status, problem.status, problem.code], [status, status, code])
      assert.deepEqual(Object.keys(problem).sort(), ['code', 'detail', 'request_id', 'status', 'title', 'type'])
      for (const text of Object.values(problem)) assert.notEqual(text, '')
      assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
      assert.equal(answer.headers['x-request-id'], problem.request_id)
      assert.ok(isUuid(problem.request_id))
      assert.partialDeepStrictEqual(answer.headers, STANDING)
    })

  it('takes the request id that came along, where one could be read', async () => {
    const { headers } = await sendRaw(`GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\nExpect: y\r\n${close}`)
    assert.equal(headers['x-request-id'], 'mine')
  })

  it('is not given to HTTP/1.0 without a Host, nor to 100-continue', async () => {
    assert.equal((await sendRaw(`GET /health HTTP/1.0\r\n\r\n`)).status, 200)
    const { status } = await sendRaw(`GET /health HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${close}`)
    assert.ok(status === 100 || status === 200)
  })
})

describe('a method that a path does not know', () => {
  it('is 405 with those that it knows, whoever asks', async () => {
    const cases: [string, string, string][] = [
      ['DELETE', '/stores', 'GET, HEAD, POST'],
      ['PATCH', '/users/me', 'GET, HEAD, PUT'],
      ['GET', '/auth/login', 'POST'],
      ['OPTIONS', '/stores', 'GET, HEAD, POST'],
      ['POST', `/stores/${newId()}`, 'DELETE, GET, HEAD, PUT'],
      ['HEAD', '/auth/login', 'POST'],
      // Covered by GET, PUT and DELETE of /users/:id, but an address of its own.
      ['GET', '/users/invite', 'POST'],
      ['DELETE', '/users/me', 'GET, HEAD, PUT'],
      ['DELETE', '/users/m%65?x=1', 'GET, HEAD, PUT'],
      ['PUT', '/users/invitations', 'GET, HEAD'],
      ['DELETE', '/audit/export', 'GET, HEAD'],
    ]
    for (const [method, path, allow] of cases)
      for (const token of [owner.token, null]) {
        const { status, body, headers } = await ask(method, path, {}, token)
        assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`)
        if (method !== 'HEAD') assert.equal(body.code, 'method_not_allowed')
      }
  })

  it('is 404 where no route answers anything, and never hides a route', async () => {
    for (const path of ['/nowhere', '/stores/', '/stores//', '//stores', '/users/invite/more', '/%ff'])
      assert.equal((await ask('DELETE', path)).status, 404, path)
    assert.equal((await ask('GET', '/users/me')).status, 200)
    assert.equal((await ask('GET', `/users/${owner.userId}`)).status, 200)
    assert.equal((await ask('GET', '/users/invitations')).status, 200)
  })

  it('is told apart even when HTTP itself hardly knows it', async () => {
    const { status, headers } = await sendRaw(
      'PROPFIND /api/v1/stores HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD, POST'])
  })
})

describe('a body that is compressed', () => {
  const packed = (encoding: string, path = '/stores', token: string | null = owner.token) =>
    test.request('POST', `/api/v1${path}`, {
      token,
      payload: gzipSync(JSON.stringify({ name: 'Packed' })),
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
    })

  it('is 415 and says what is taken, after the credential was asked for', async () => {
    for (const encoding of ['gzip', 'br', 'identity, gzip', 'x'])
      for (const path of ['/stores', '/auth/login']) {
        const { status, body, headers } = await packed(encoding, path)
        assert.deepEqual([status, body.code], [415, 'unsupported_media_type'])
        assert.equal(headers['accept-encoding'], 'identity')
      }
    assert.equal((await packed('gzip', '/stores', null)).status, 401)
  })

  it('is none when it is said not to be', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'Identity' }
    const payload = JSON.stringify({ name: `Plain ${newId()}` })
    assert.equal((await test.request('POST', '/api/v1/stores', { token: owner.token, payload, headers })).status, 201)
    assert.equal((await ask('POST', '/auth/resend-verification', { 'content-encoding': 'gzip' })).status, 202)
  })
})

describe('HEAD', () => {
  const exported = async () => (await ask('GET', '/audit?action=audit.exported&limit=100')).body.data.length

  it('on what is sent as a stream has no effect and tells no length', async () => {
    const before = await exported()
    for (const path of ['/audit/export?format=csv', '/audit/export?format=ndjson&proof=true', '/audit/verify']) {
      const authorization = `Authorization: Bearer ${owner.token}`
      const head = await sendRaw(
        `HEAD /api/v1${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\nConnection: close\r\n\r\n`,
      )
      assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, undefined, ''], path)
    }
    assert.equal((await ask('HEAD', '/audit/export?format=csv&proof=true')).status, 400)
    assert.equal(await exported(), before)
    await ask('GET', '/audit/export?format=csv')
    assert.equal(await exported(), before + 1)
  })
})

describe('the headers of every answer', () => {
  it('are there, and nothing that a credential was given for stays in a cache', async () => {
    const answers = [
      await ask('GET', '/users/me'),
      await ask('GET', '/careless'),
      await ask('GET', '/audit/export?format=csv'),
      await ask('POST', '/auth/login', {}, null),
      await ask('GET', '/nowhere'),
      await ask('GET', '/users/me', {}, null),
      await test.request('GET', '/health'),
      await test.request('GET', '/dev/mailbox'),
    ]
    for (const { headers } of answers) assert.partialDeepStrictEqual(headers, STANDING)
  })

  it('ask for TLS where people come by it, and there alone', () => {
    const { config } = test.core
    const plain = standingHeaders({ ...config, http: { ...config.http, publicUrl: 'http://localhost:3000' } })
    assert.deepEqual([...Object.keys(plain), 'strict-transport-security'], Object.keys(STANDING))
  })

  it('leave the pages their own policies, and public documents their caches', async () => {
    const page = await test.request('GET', '/api/docs')
    assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/)
    assert.partialDeepStrictEqual(page.headers, { ...STANDING, 'cache-control': 'no-cache' })
    const keys = await test.request('GET', '/.well-known/jwks.json')
    assert.match(String(keys.headers['cache-control']), /^public/)
  })
})
