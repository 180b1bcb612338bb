import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Answer, Closed, defineModule, defineRoute, newId, OneOf, Type } from '#kernel'
import { createTestCore, type RequestOptions, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const Seen = Type.Object({}, { additionalProperties: true })
const shared = { access: 'public', transaction: 'manual', response: { 200: Seen } } as const // words, as a route wants them
const { token } = builtinAuthForTests
let written = 0

const parts = defineModule({
  name: 'parts',
  routes: [
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/heard',
      summary: 'Say which headers came',
      headers: Type.Object({
        'x-kind': OneOf(['a', 'b'], { description: 'A kind' }),
        'x-count': Type.Optional(Type.Integer({ minimum: 1, description: 'How many' })),
        'x-note': Type.Optional(Type.String({ description: 'Anything' })),
      }),
      handler: (_ctx, { headers }) => ({
        kind: headers['x-kind'],
        count: headers['x-count'],
        all: Object.keys(headers),
      }),
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/bytes',
      summary: 'Say what bytes came',
      raw: true,
      bodyLimit: 200,
      handler: (_ctx, { raw }) => ({ length: raw.length, sha256: createHash('sha256').update(raw).digest('hex') }),
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/xml',
      summary: 'Take XML as it is',
      raw: ['application/xml', 'text/xml'],
      handler: (_ctx, { raw }) => ({ text: raw.toString() }),
    }),
    defineRoute({
      method: 'POST',
      path: '/kept',
      summary: 'Count bytes once',
      access: 'self',
      transaction: 'manual',
      raw: true,
      response: { 200: Seen },
      handler: (_ctx, { raw }) => ({ length: raw.length, count: ++written }),
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/form',
      summary: 'Say what a form says',
      accepts: ['form'],
      body: Closed({
        name: Type.String({ maxLength: 20 }),
        count: Type.Optional(Type.Integer()),
        tags: Type.Optional(Type.Array(Type.String(), { maxItems: 3 })),
        sizes: Type.Optional(Type.Array(Type.Integer())),
      }),
      handler: (_ctx, { body }) => body,
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/either',
      summary: 'Take JSON or a form',
      accepts: ['json', 'form'],
      body: Closed({ name: Type.String() }),
      handler: (_ctx, { body }) => body,
    }),
    defineRoute({
      method: 'PATCH',
      path: '/patched/:id',
      summary: 'Change a part',
      access: 'self',
      transaction: 'manual',
      body: Closed({ name: Type.Optional(Type.String()) }),
      response: { 200: Seen },
      handler: (_ctx, { params, body }) => ({ id: params.id, ...body, count: ++written }),
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: '/crumbs',
      summary: 'Say which cookies came',
      cookies: Closed({
        crumb: Type.Optional(Type.String({ maxLength: 10 })),
        size: Type.Optional(Type.Integer()),
      }),
      handler: (_ctx, { cookies }) =>
        new Answer(200, { ...cookies }, { 'cache-control': 'public, max-age=60' }, [
          { name: 'crumb', value: 'ä; b' },
          { name: '__Host-size', value: null, sameSite: 'strict', secure: true },
        ]),
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: '/crumbs',
      summary: 'Do what a cookie allows',
      cookies: Closed({ crumb: Type.Optional(Type.String()) }),
      handler: (_ctx, { cookies }) => ({ ...cookies }),
    }),
    defineRoute({
      method: 'POST',
      path: '/crumbs/kept',
      summary: 'Set a cookie in an answer that would be kept',
      access: 'self',
      transaction: 'manual',
      response: { 200: Seen },
      handler: () => new Answer(200, {}, {}, [{ name: 'crumb', value: 'x' }]),
    }),
  ],
})

let t: TestCore
before(async () => {
  t = await createTestCore({ modules: [toy, parts], env: { PUBLIC_URL: 'http://app.example:8080' } })
})
after(() => t?.close())

const send = (method: string, path: string, options: RequestOptions = {}) =>
  t.request(method, `/api/v1${path}`, options)
const pointers = ({ body }: { body: { errors?: { pointer: string }[] } }) => body.errors?.map(({ pointer }) => pointer)
const form = (payload: string | Buffer, path = '/form') =>
  send('POST', path, { payload, headers: { 'content-type': 'application/x-www-form-urlencoded' } })

/** Sends lines as they are; gives the status and the body of the answer. */
async function sendLines(...lines: string[]): Promise<{ status: number; body: { errors?: { pointer: string }[] } }> {
  if (!t.app.server.listening) await t.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = t.app.server.address() as AddressInfo // it listens on a port
  const socket = connect(port, '127.0.0.1')
  socket.write([...lines, 'Host: x', 'Connection: close', '', ''].join('\r\n'))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}

describe('headers that a route declares', () => {
  it('reach the handler checked and coerced, and no others do', async () => {
    const { body } = await send('GET', '/heard', { headers: { 'X-Kind': 'a', 'x-count': '3', 'x-other': 'y' } })
    assert.deepEqual(body, { kind: 'a', count: 3, all: ['x-kind', 'x-count'] })
    assert.deepEqual((await send('GET', '/heard', { headers: { 'x-kind': 'b' } })).body, { kind: 'b', all: ['x-kind'] })
  })

  it('are refused at their names, with whatever else is wrong', async () => {
    const wrong = await send('GET', '/heard?x=1', { headers: { 'x-count': '0' } })
    assert.deepEqual([wrong.status, pointers(wrong)], [400, ['query/x', 'headers/x-kind', 'headers/x-count']])
    const odd = await send('GET', '/heard', { headers: { 'x-kind': 'ä'.repeat(3000) } })
    assert.deepEqual([odd.status, pointers(odd)], [400, ['headers/x-kind']])
  })

  it('are refused when they come twice, whatever they say', async () => {
    const twice = await sendLines('GET /api/v1/heard HTTP/1.1', 'X-Kind: a', 'x-kind: a')
    assert.deepEqual([twice.status, pointers(twice)?.[0]], [400, 'headers/x-kind'])
    const joined = await sendLines('GET /api/v1/heard HTTP/1.1', 'X-Kind: a', 'X-Note: one', 'X-Note: two')
    assert.deepEqual([joined.status, pointers(joined)], [400, ['headers/x-note']])
    const other = await sendLines('GET /api/v1/heard HTTP/1.1', 'X-Kind: a', 'X-Other: 1', 'X-Other: 2')
    assert.equal(other.status, 200)
  })
})

describe('a raw body', () => {
  it('reaches the handler byte by byte, in any content type and in none', async () => {
    const bytes = Buffer.from([0, 255, 123, 10, 0xc3])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    for (const type of ['application/json', 'text/plain; charset=latin1', 'image/png']) {
      const { status, body } = await send('POST', '/bytes', { payload: bytes, headers: { 'content-type': type } })
      assert.deepEqual([status, body], [200, { length: 5, sha256 }], type)
    }
    assert.deepEqual((await send('POST', '/bytes', { payload: bytes })).body, { length: 5, sha256 })
  })

  it('is required, has its limit, and comes uncompressed', async () => {
    assert.deepEqual(pointers(await send('POST', '/bytes')), ['#'])
    assert.equal((await send('POST', '/bytes', { payload: Buffer.alloc(200) })).status, 200)
    assert.equal((await send('POST', '/bytes', { payload: Buffer.alloc(201) })).status, 413)
    const odd = await send('POST', '/bytes', { payload: 'x', headers: { 'content-type': 'no type' } })
    assert.equal(odd.status, 415)
    assert.match(odd.body.detail, /^Content-Type is not one: send a type such as/)
    const packed = await send('POST', '/bytes', { payload: 'x', headers: { 'content-encoding': 'gzip' } })
    assert.equal(packed.status, 415)
  })

  it('is taken in the declared types alone, and neighbours go on taking JSON alone', async () => {
    const xml = (type: string) => send('POST', '/xml', { payload: '<a/>', headers: { 'content-type': type } })
    assert.deepEqual((await xml('text/xml; charset=utf-8')).body, { text: '<a/>' })
    const wrong = await xml('application/json')
    assert.deepEqual([wrong.status, wrong.body.detail], [415, 'Send application/xml or text/xml'])
    const toys = { token: token('a'), payload: 'name=x', headers: { 'content-type': 'application/xml' } }
    const { status, body } = await send('POST', '/toys', toys)
    assert.deepEqual([status, body.detail], [415, 'Send application/json'])
  })

  it('is part of what an Idempotency-Key stands for', async () => {
    const key = newId()
    const keyed = (payload: string) =>
      send('POST', '/kept', { token: token('a'), payload, headers: { 'idempotency-key': key } })
    const first = await keyed('abc')
    const again = await keyed('abc')
    assert.deepEqual([again.text, again.headers['idempotent-replayed']], [first.text, 'true'])
    assert.equal((await keyed('abd')).body.code, 'idempotency_key_reused')
    const typed = { 'idempotency-key': key, 'content-type': 'text/csv' }
    const other = await send('POST', '/kept', { token: token('a'), payload: 'abc', headers: typed })
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
  })
})

describe('a form', () => {
  it('is read as the schema says: texts, numbers, lists', async () => {
    const { body } = await form('name=B%C3%A4r+%26+co&count=7&tags=a&tags=b%3Dc&sizes=1&sizes=2')
    assert.deepEqual(body, { name: 'Bär & co', count: 7, tags: ['a', 'b=c'], sizes: [1, 2] })
    assert.deepEqual((await form('name=&tags=one&&')).body, { name: '', tags: ['one'] })
  })

  it('is refused field by field', async () => {
    const cases: [string, string[]][] = [
      ['', ['#/name']],
      ['name=a&name=b', ['#/name']],
      ['name=a&count=x&other=1', ['#/count', '#/other']],
      ['name=a&tags=1&tags=2&tags=3&tags=4', ['#/tags']],
      ['name=a&__proto__=1', ['#/__proto__']],
      ['name=a%00', ['#/name']],
      [`name=${'x'.repeat(21)}`, ['#/name']],
    ]
    for (const [payload, expected] of cases) {
      const answer = await form(payload)
      assert.deepEqual([answer.status, pointers(answer)], [400, expected], payload)
    }
  })

  it('is refused whole where it is no form, or one of more fields than anybody fills in', async () => {
    for (const payload of ['name=%zz', 'name=%ff', 'na%me=1', Buffer.from('name=ä'), 'name=a&'.repeat(1001)]) {
      const { status, body } = await form(payload)
      assert.deepEqual([status, body.code], [400, 'invalid_request'], String(payload).slice(0, 20))
    }
    assert.equal((await form('x'.repeat(129 * 1024))).status, 413)
  })

  it('is 415 where JSON is asked for, and JSON where a form is', async () => {
    const { status, body } = await send('POST', '/form', { body: { name: 'x' } })
    assert.deepEqual([status, body.detail], [415, 'Send application/x-www-form-urlencoded'])
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    assert.equal((await send('POST', '/toys', { token: token('a'), payload: 'name=x', headers })).status, 415)
  })

  it('goes beside JSON where both are taken', async () => {
    assert.deepEqual((await form('name=x', '/either')).body, { name: 'x' })
    assert.deepEqual((await send('POST', '/either', { body: { name: 'y' } })).body, { name: 'y' })
    const { body } = await send('POST', '/either', { payload: 'x', headers: { 'content-type': 'text/plain' } })
    assert.equal(body.detail, 'Send application/json or application/x-www-form-urlencoded')
    const { body: missing } = await send('POST', '/either')
    assert.deepEqual(
      [missing.detail, missing.errors[0]],
      ['A JSON or form body is required', { pointer: '#', detail: 'a JSON or form body is required' }],
    )
    assert.equal((await send('POST', '/either', { body: [] })).body.detail, 'The body must be an object')
  })
})

describe('PATCH', () => {
  it('is a method like the others', async () => {
    const id = newId()
    const { status, body } = await send('PATCH', `/patched/${id}`, { token: token('a'), body: { name: 'x' } })
    assert.deepEqual([status, body.id, body.name], [200, id, 'x'])
    assert.equal((await send('PATCH', `/patched/${id}`, { body: {} })).status, 401)
    const wrong = await send('PUT', `/patched/${id}`, { token: token('a'), body: {} })
    assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'PATCH'])
  })

  it('takes an Idempotency-Key, as POST does', async () => {
    const headers = { 'idempotency-key': newId() }
    const patch = (name: string) =>
      send('PATCH', '/patched/'.concat(FIXED), { token: token('a'), body: { name }, headers })
    const first = await patch('x')
    const again = await patch('x')
    assert.deepEqual([again.text, again.headers['idempotent-replayed']], [first.text, 'true'])
    assert.equal((await patch('y')).body.code, 'idempotency_key_reused')
  })
})

const FIXED = newId()

describe('cookies', () => {
  it('that a route declares reach the handler decoded, and no others do', async () => {
    const { body } = await send('GET', '/crumbs', { headers: { cookie: 'other=1; crumb=%C3%A4%3B+b;size="7"; a' } })
    assert.deepEqual(body, { crumb: 'ä;+b', size: 7 })
    assert.deepEqual((await send('GET', '/crumbs')).body, {})
  })

  it('are refused when they come twice, are not encoded, or do not fit', async () => {
    for (const cookie of ['crumb=a; crumb=a', 'crumb=%zz', 'crumb=%ff', 'crumb=%00', `crumb=${'x'.repeat(11)}`]) {
      const answer = await send('GET', '/crumbs', { headers: { cookie } })
      assert.deepEqual([answer.status, pointers(answer)], [400, ['cookies/crumb']], cookie)
    }
    assert.deepEqual(pointers(await send('GET', '/crumbs', { headers: { cookie: 'size=x' } })), ['cookies/size'])
  })

  it('are set with safe attributes, and such an answer is in no cache', async () => {
    const { headers } = await send('GET', '/crumbs')
    assert.deepEqual(headers['set-cookie'], [
      'crumb=%C3%A4%3B%20b; Path=/; HttpOnly; SameSite=Lax',
      '__Host-size=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict',
    ])
    assert.equal(headers['cache-control'], 'no-store')
  })

  it('are never kept with the answer to an Idempotency-Key', async () => {
    const answer = await send('POST', '/crumbs/kept', { token: token('a'), headers: { 'idempotency-key': newId() } })
    assert.deepEqual([answer.status, answer.headers['set-cookie']], [500, undefined])
    assert.match(t.logs.join(''), /sets a cookie, which only routes that are not repeated may/)
  })

  it('allow something only in requests that a page of ours makes', async () => {
    const own = 'http://app.example:8080'
    const cases: [Record<string, string>, number][] = [
      [{ origin: own }, 200],
      [{ origin: own, 'sec-fetch-site': 'same-origin' }, 200],
      [{ 'sec-fetch-site': 'same-origin' }, 200],
      [{}, 403],
      [{ origin: 'http://evil.example' }, 403],
      [{ origin: 'http://app.example' }, 403],
      [{ origin: `${own}.evil.example` }, 403],
      [{ origin: 'null' }, 403],
      [{ origin: '' }, 403],
      [{ origin: `${own}, ${own}` }, 403],
      [{ origin: own, 'sec-fetch-site': 'cross-site' }, 403],
      [{ origin: own, 'sec-fetch-site': 'none' }, 403],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ 'sec-fetch-site': 'none' }, 403],
      [{ referer: `${own}/page` }, 403],
    ]
    for (const [headers, expected] of cases) {
      const { status, body } = await send('POST', '/crumbs', { headers: { cookie: 'crumb=a', ...headers } })
      assert.equal(status, expected, JSON.stringify(headers))
      if (status === 403) assert.equal(body.code, 'origin_not_allowed')
    }
    // Nothing is allowed by a cookie that the route does not look at, and reading changes nothing.
    assert.equal((await send('POST', '/crumbs', { headers: { cookie: 'other=a' } })).status, 200)
    assert.equal((await send('GET', '/crumbs', { headers: { cookie: 'crumb=a' } })).status, 200)
  })
})

describe('the API document', () => {
  it('shows headers, cookies, content types and PATCH', async () => {
    const { paths } = (await t.request('GET', '/api/openapi.json')).body
    const at = (path: string, method: string) => paths[`/api/v1${path}`][method]
    assert.deepEqual(at('/heard', 'get').parameters[0], {
      name: 'x-kind',
      in: 'header',
      required: true,
      description: 'A kind',
      schema: { type: 'string', enum: ['a', 'b'], description: 'A kind', examples: ['a'] },
    })
    assert.deepEqual(
      [at('/crumbs', 'get').parameters[0].in, at('/crumbs', 'get').parameters[0].name],
      ['cookie', 'crumb'],
    )
    assert.deepEqual(Object.keys(at('/bytes', 'post').requestBody.content), ['*/*'])
    assert.deepEqual(Object.keys(at('/xml', 'post').requestBody.content), ['application/xml', 'text/xml'])
    assert.deepEqual(Object.keys(at('/form', 'post').requestBody.content), ['application/x-www-form-urlencoded'])
    assert.equal(Object.keys(at('/either', 'post').requestBody.content).length, 2)
    assert.ok(
      at('/patched/{id}', 'patch').parameters.some(({ $ref }: { $ref?: string }) => $ref?.endsWith('/Idempotency-Key')),
    )
    assert.ok('403' in at('/crumbs', 'post').responses)
    assert.ok(!('403' in at('/crumbs', 'get').responses))
  })
})
