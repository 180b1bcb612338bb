import assert from 'node:assert/strict'
import { get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { json as readJson } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Answer, Closed, defineModule, defineRoute, openapiDocument, Streamed, Type } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'

const made: Readable[] = []
const stream = (pieces: Iterable<string> | AsyncIterable<string>) => {
  const readable = Readable.from(pieces, { objectMode: false })
  made.push(readable)
  return readable
}
const shared = { method: 'GET', access: 'public', summary: 'Flow', response: { 200: Streamed } } as const // as routes want them
const json = 'application/json; charset=utf-8'
const text = 'text/plain; charset=utf-8'

async function* endless() {
  for (;;) {
    await sleep(1)
    yield 'x'.repeat(100_000)
  }
}

const rivers = defineModule({
  name: 'rivers',
  routes: [
    defineRoute({
      ...shared,
      path: '/rivers',
      transaction: 'manual',
      query: Closed({ as: Type.String() }),
      produces: { [json]: Type.Array(Type.String()), [text]: Type.String() },
      handler: (_ctx, { query }) =>
        new Answer(200, stream(query.as === json ? ['["a",', '"b"]'] : ['a', 'b']), { 'content-type': query.as }),
    }),
    defineRoute({
      ...shared,
      path: '/rivers/endless',
      transaction: 'manual',
      produces: text,
      handler: () => stream(endless()),
    }),
    defineRoute({
      ...shared,
      path: '/rivers/opened',
      transaction: 'manual',
      produces: text,
      handler: () => new Answer(200, () => stream(endless())),
    }),
    defineRoute({ ...shared, path: '/rivers/managed', produces: text, handler: () => stream(['a']) }),
    defineRoute({
      ...shared,
      path: '/rivers/broken',
      transaction: 'manual',
      produces: text,
      handler: () => stream(breaking()),
    }),
    defineRoute({
      ...shared,
      path: '/rivers/announced',
      transaction: 'manual',
      query: Closed({ pieces: Type.String() }),
      produces: text,
      handler: (_ctx, { query }) =>
        new Answer(200, () => stream(query.pieces.split(',')), { 'content-length': '10', etag: '"ten"' }),
    }),
  ],
})

async function* breaking() {
  yield 'x'.repeat(100_000)
  throw new Error('the source ran dry')
}

let core: TestCore
before(async () => {
  // Three downloads at once in place of a hundred.
  const env = { TRUSTED_PROXIES: '127.0.0.0/8', RATE_LIMIT_FACTOR: '0.03' }
  core = await createTestCore({ modules: [rivers], env })
  await core.app.listen({ port: 0, host: '127.0.0.1' })
})
after(() => core.close())

const ask = (path: string, method = 'GET') => core.request(method, `/api/v1${path}`)
const as = (type: string) => `/rivers?as=${encodeURIComponent(type)}`

test('a stream is sent with the content type that the answer says', async () => {
  const [first, second] = [await ask(as(json)), await ask(as(text))]
  assert.deepEqual([first.headers['content-type'], first.body], [json, ['a', 'b']])
  assert.deepEqual([second.headers['content-type'], second.text], [text, 'ab'])
})

test('a content type that the route does not declare is our mistake', async () => {
  assert.equal((await ask(as('text/html'))).status, 500)
})

test('HEAD has the headers, and the stream is thrown away unread', async () => {
  const { status, headers, text: body } = await ask(as(text), 'HEAD')
  assert.deepEqual([status, headers['content-type'], body], [200, text, ''])
  assert.equal(made.at(-1)?.destroyed, true)
  assert.equal(made.at(-1)?.readableDidRead, false)
})

test('a stream outlives its handler, so no transaction may be open around it', async () => {
  assert.equal((await ask('/rivers/managed')).status, 500)
  assert.equal(made.at(-1)?.destroyed, true)
})

test('the API document names every content type', () => {
  const operation = openapiDocument(core.core).paths['/api/v1/rivers']?.get
  const answer = operation?.responses['200']
  assert.ok(answer && 'content' in answer)
  assert.deepEqual(
    Object.entries(answer.content ?? {}).map(([type, { schema }]) => [type, schema.type]),
    [
      ['application/json', 'array'],
      ['text/plain', 'string'],
    ],
  )
})

test('a client that goes away stops the stream', async () => {
  const answer = await receive('/rivers/endless')
  await new Promise((resolve) => answer.once('data', resolve))
  answer.destroy()
  await until('it is stopped', () => made.at(-1)?.destroyed === true)
})

test('a stream that breaks breaks the answer, so that nobody takes it for whole', async () => {
  const answer = await receive('/rivers/broken')
  await assert.rejects(async () => {
    for await (const _ of answer);
  }, /aborted/)
})

/** What one connection says to two requests at once, until it ends or the second one is answered. */
function askTwice(path: string): Promise<string> {
  const { port } = core.app.server.address() as AddressInfo // it listens on a port
  const head = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answers = ''
    socket
      .on('data', (data) => {
        answers += data.toString('latin1')
      })
      .on('error', reject)
      .on('close', () => resolve(answers))
    socket.write(head(`/api/v1${path}`) + head('/nowhere', 'Connection: close\r\n'))
  })
}

test('an answer has as many bytes as it says, or the connection ends with it', async () => {
  const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)
  assert.deepEqual(statuses(await askTwice('/rivers/announced?pieces=01234,56789')), ['HTTP/1.1 200', 'HTTP/1.1 404'])
  const short = await askTwice('/rivers/announced?pieces=01234')
  assert.deepEqual([statuses(short), short.endsWith('01234')], [['HTTP/1.1 200'], true])
  const forged = encodeURIComponent('HTTP/1.1 201 OK\r\n\r\n')
  const long = await askTwice(`/rivers/announced?pieces=01234,56789,${forged}`)
  assert.deepEqual([statuses(long), long.includes('201')], [['HTTP/1.1 200'], false])
  assert.equal(await askTwice(`/rivers/announced?pieces=0123456789${forged}`), '', 'not even its beginning')
  const told = core.logs.filter((line) => line.includes('has another length than it says'))
  assert.equal(told.length, 3)
})

test('a client has so many downloads open at once, however it reads them, and others have theirs', async (t) => {
  const open = async (address: string) => {
    const answer = await receive('/rivers/opened', { 'x-forwarded-for': address })
    t.after(() => answer.destroy())
    return answer
  }
  const held = [await open('192.0.2.1'), await open('192.0.2.1'), await open('192.0.2.1')]
  const headers = { 'x-forwarded-for': '192.0.2.1' }
  const refused = await open('192.0.2.1')
  // Its body would have no end if it were none.
  assert.equal(refused.statusCode, 429)
  const problem = (await readJson(refused)) as { code: string; violated_policies: string[] }
  assert.deepEqual([problem.code, problem.violated_policies], ['rate_limited', ['downloads_at_once']])
  assert.equal(refused.headers['retry-after'], '5')
  assert.equal((await core.request('HEAD', '/api/v1/rivers/opened', { headers })).status, 200)
  const other = await open('192.0.2.2')
  assert.equal(other.statusCode, 200)
  held.pop()?.destroy()
  await until('there is room again', async () => {
    const next = await open('192.0.2.1')
    held.push(next)
    return next.statusCode === 200
  })
})

function receive(path: string, headers: Record<string, string> = {}) {
  const { port } = core.app.server.address() as AddressInfo // it listens on a port
  return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: `/api/v1${path}`, agent: false, headers }, resolve).on('error', reject)
  })
}
