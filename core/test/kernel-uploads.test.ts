import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it, mock } from 'node:test'
import { Closed, conflict, defineModule, defineRoute, payloadTooLarge, Type } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const Seen = Type.Object({}, { additionalProperties: true })
const token = builtinAuthForTests.token('pieces')
const MiB = 1024 * 1024
/** A key of a request that has no answer yet. */
interface Claim {
  id: string
  until: string | null
}
let calls = 0
/** What became of uploads that did not arrive whole. */
const broken: unknown[] = []

const uploads = defineModule({
  name: 'uploads',
  routes: [
    defineRoute({
      method: 'POST',
      path: '/pieces',
      summary: 'Say what came',
      access: 'self',
      transaction: 'manual',
      form: Closed({
        note: Type.String({ maxLength: 20 }),
        count: Type.Optional(Type.Integer()),
        tags: Type.Optional(Type.Array(Type.String())),
      }),
      response: { 200: Seen },
      errors: [payloadTooLarge, conflict],
      handler: async (_ctx, { form }) => {
        calls++
        const { content, ...file } = await form.file()
        if (file.early.note === 'refuse') throw conflict({ detail: 'Not this one' })
        const hash = createHash('sha256')
        let bytes = 0
        try {
          for await (const chunk of content) {
            hash.update(chunk)
            bytes += chunk.length
            if (file.early.note === 'small' && bytes > 1000) throw payloadTooLarge()
          }
          return { ...file, bytes, sha256: hash.digest('hex'), fields: await form.fields(), calls }
        } catch (error) {
          broken.push(error)
          throw error
        }
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/flow',
      summary: 'Count bytes',
      access: 'public',
      transaction: 'manual',
      stream: ['application/octet-stream'],
      response: { 200: Seen },
      handler: async (_ctx, { stream }) => {
        let bytes = 0
        try {
          for await (const chunk of stream.content) bytes += chunk.length
        } catch (error) {
          broken.push(error)
          throw error
        }
        return { bytes, announced: stream.length, type: stream.contentType }
      },
    }),
  ],
})

let test: TestCore
let origin: string
before(async () => {
  test = await createTestCore({ modules: [toy, uploads], env: { RATE_LIMIT_FACTOR: '0' } })
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(test.app.server.address() as AddressInfo).port}` // it listens on a port
})
after(() => test?.close())

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

function formOf(parts: [name: string, value: string | Blob, filename?: string][]): FormData {
  const form = new FormData()
  for (const [name, value, filename] of parts)
    typeof value === 'string' ? form.append(name, value) : form.append(name, value, filename)
  return form
}

async function post(form: FormData, headers: Record<string, string> = {}, path = '/pieces') {
  const sent = { method: 'POST', body: form, headers: { authorization: `Bearer ${token}`, ...headers } }
  const response = await fetch(`${origin}/api/v1${path}`, sent)
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  return { status: response.status, headers: response.headers, body: (await response.json()) as any }
}

const blob = (bytes: Buffer, type = 'image/png') => new Blob([new Uint8Array(bytes)], { type })

/** Sends bytes as they are; resolves to what came back once the connection is closed, by whichever side. */
function sendRaw(pieces: readonly (string | Buffer)[], isCut = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    const got: Buffer[] = []
    socket.on('data', (chunk) => got.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(got).toString()))
    for (const piece of pieces) socket.write(piece)
    if (isCut) socket.end(() => socket.destroy())
  })
}

const head = (length: number | null, type = 'multipart/form-data; boundary=b', close = 'Connection: close\r\n') =>
  `POST /api/v1/pieces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\n${close}${
    length === null ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  }\r\n\r\n`

const part = (name: string, value: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`

const whole = (body: string) => sendRaw([head(Buffer.byteLength(body)), body])
const problemOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

describe('a form with a file', () => {
  it('gives its bytes, name, type and fields, whichever comes first', async () => {
    const bytes = Buffer.alloc(3 * MiB + 7, 'pieces ')
    for (const isFirst of [true, false]) {
      const fields: [string, string][] = [
        ['note', 'hello'],
        ['count', '7'],
        ['tags', 'a'],
        ['tags', 'b'],
      ]
      const file: [string, Blob, string] = ['file', blob(bytes), 'Grüße 🎉.png']
      const { status, body } = await post(formOf(isFirst ? [file, ...fields] : [...fields, file]))
      assert.equal(status, 200)
      assert.partialDeepStrictEqual(body, {
        filename: 'Grüße 🎉.png',
        contentType: 'image/png',
        bytes: bytes.length,
        sha256: sha256(bytes),
        fields: { note: 'hello', count: 7, tags: ['a', 'b'] },
        early: isFirst ? {} : { note: 'hello', count: '7', tags: 'a' },
      })
      const after = isFirst ? Number(body.expected) - bytes.length : 0
      assert.ok(after >= 0 && after < 1_000, 'only what follows it is taken for a part of it')
      if (!isFirst) assert.equal(body.expected, bytes.length)
    }
  })

  it('may be empty, and be sent without a length', async () => {
    assert.equal(
      (
        await post(
          formOf([
            ['note', 'x'],
            ['file', blob(Buffer.alloc(0)), 'a.png'],
          ]),
        )
      ).body.bytes,
      0,
    )
    const body = `${part('note', 'x')}${part('file', 'abc', '; filename="a"')}--b--\r\n`
    const answer = await sendRaw([head(null), `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`])
    assert.match(answer, /"expected":null/)
    assert.match(answer, /"bytes":3/)
  })

  const noFile = { pointer: '#/file', detail: 'is required: one file' }
  const refused: [name: string, body: string, errors: { pointer: string; detail?: string }[] | null][] = [
    ['without a file', `${part('note', 'x')}--b--\r\n`, [noFile]],
    [
      'without a file and with wrong fields',
      `${part('other', 'x')}--b--\r\n`,
      [noFile, { pointer: '#/note' }, { pointer: '#/other' }],
    ],
    [
      'with two files',
      `${part('note', 'x')}${part('file', 'a', '; filename="a"')}${part('file', 'b', '; filename="b"')}--b--\r\n`,
      [{ pointer: '#/file' }],
    ],
    [
      'with a file of another name',
      `${part('note', 'x')}${part('pic~/', 'a', '; filename="a"')}--b--\r\n`,
      [{ pointer: '#/pic~0~1' }],
    ],
    ['with a text as its file', `${part('note', 'x')}${part('file', 'a')}--b--\r\n`, [{ pointer: '#/file' }]],
    [
      'with wrong fields after the file',
      `${part('file', 'a', '; filename="a"')}${part('note', 'x'.repeat(21))}${part('count', 'many')}${part('more', '')}--b--\r\n`,
      [{ pointer: '#/note' }, { pointer: '#/count' }, { pointer: '#/more' }],
    ],
    [
      'with NUL in a field',
      `${part('file', 'a', '; filename="a"')}${part('note', 'a\0b')}--b--\r\n`,
      [{ pointer: '#/note' }],
    ],
    [
      'with a field beyond all measure',
      `${part('note', 'x'.repeat(70_000))}${part('file', 'a', '; filename="a"')}--b--\r\n`,
      [{ pointer: '#/note' }],
    ],
    ['with too many parts', `${part('tags', 'x').repeat(60)}${part('file', 'a', '; filename="a"')}--b--\r\n`, null],
    ['without an end', `${part('note', 'x')}${part('file', 'abc', '; filename="a"')}`, null],
    ['that ends within a header', `${part('note', 'x')}--b\r\nContent-Dispo`, null],
    ['that is none', 'hello', null],
    ['that is empty', '', null],
    [
      'with a part without a name',
      `--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nabc\r\n--b--\r\n`,
      [{ pointer: '#/' }],
    ],
    ['with endless headers of a part', `--b\r\nX-Long: ${'y'.repeat(100_000)}\r\n\r\nabc\r\n--b--\r\n`, null],
  ]
  for (const [name, body, errors] of refused)
    it(`is 400 ${name}`, async () => {
      const answer = await whole(body)
      const problem = problemOf(answer)
      assert.deepEqual([problem.status, problem.code], [400, 'invalid_request'], answer)
      if (errors) {
        assert.deepEqual(
          problem.errors.map((each: { pointer: string }) => each.pointer).sort(),
          errors.map(({ pointer }) => pointer).sort(),
        )
        assert.partialDeepStrictEqual(
          problem.errors,
          errors.filter(({ detail }) => detail),
        )
      }
    })

  it('is 400 with too much before or behind what it says', async () => {
    const body = `${part('note', 'x')}${part('file', 'abc', '; filename="a"')}--b--\r\n`
    const much = Array.from({ length: 8 }, () => Buffer.alloc(512 * 1024, 'x'))
    for (const pieces of [
      [...much, body],
      [body, ...much],
    ]) {
      const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
      assert.equal(problemOf(await sendRaw([head(length), ...pieces])).status, 400)
    }
  })

  it('is 400 without a boundary, and 415 in any other form', async () => {
    const body = `${part('file', 'a', '; filename="a"')}--b--\r\n`
    const bare = problemOf(await sendRaw([head(body.length, 'multipart/form-data'), body]))
    assert.deepEqual([bare.status, bare.code], [400, 'invalid_request'])
    const json = problemOf(await sendRaw([head(2, 'application/json'), '{}']))
    assert.deepEqual([json.status, json.detail], [415, 'Send multipart/form-data'])
  })

  it('that ends in the middle of its file is told to whoever reads it', async () => {
    const before = broken.length
    const body = `${part('note', 'x')}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`
    await sendRaw([head(10 * MiB), body, Buffer.alloc(MiB)], true)
    await until('the reader hears', () => broken.length > before)
    assert.equal((broken.at(-1) as { code?: string }).code, 'invalid_request')
  })

  it('is answered by a refusal while it is still being sent, and a short one leaves the connection open', async () => {
    const size = 60 * MiB
    const body = `${part('note', 'small')}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`
    const long = await sendRaw([head(size, undefined, ''), body, ...Array.from({ length: 6 }, () => Buffer.alloc(MiB))])
    assert.match(long, /^HTTP\/1.1 413 /)
    assert.match(long, /connection: close/i)
    const short = await post(
      formOf([
        ['note', 'refuse'],
        ['file', blob(Buffer.alloc(200_000)), 'a.png'],
      ]),
    )
    assert.deepEqual([short.status, short.headers.get('connection')], [409, 'keep-alive'])
  })

  it('needs its credential before any of it is read', async () => {
    const before = calls
    const { status } = await post(
      formOf([
        ['note', 'x'],
        ['file', blob(Buffer.alloc(9)), 'a'],
      ]),
      { authorization: '' },
    )
    assert.deepEqual([status, calls], [401, before])
  })
})

describe('a form with an Idempotency-Key', () => {
  const key = (name: string) => ({ 'idempotency-key': name })
  const form = (note: string, bytes: Buffer, filename = 'a.png') =>
    formOf([
      ['note', note],
      ['file', blob(bytes), filename],
    ])

  it('is answered again for the same form, whatever its boundary', async () => {
    const first = await post(form('x', Buffer.from('one')), key('same'))
    const again = await post(form('x', Buffer.from('one')), key('same'))
    assert.deepEqual([first.status, again.status, again.body.calls], [200, 200, first.body.calls])
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
  })

  it('is 422 for another file, name or field', async () => {
    assert.equal((await post(form('x', Buffer.from('one')), key('other'))).status, 200)
    for (const each of [
      form('x', Buffer.from('two')),
      form('y', Buffer.from('one')),
      form('x', Buffer.from('one'), 'b.png'),
      form('x', Buffer.alloc(MiB)),
    ]) {
      const { status, body } = await post(each, key('other'))
      assert.deepEqual([status, body.code], [422, 'idempotency_key_reused'])
    }
  })

  it('holds its key for as long as it takes to arrive', async () => {
    const UNANSWERED = 'select id, claimed_until::text as until from idempotency_keys where status is null'
    const claims = async () =>
      new Map((await test.core.db.systemQuery<Claim>(UNANSWERED)).map(({ id, until }) => [id, until]))
    const others = await claims()
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      const body = `${part('note', 'x')}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`
      const sent = head(MiB).replace('Content-Type', 'Idempotency-Key: slow\r\nContent-Type')
      const socket = connect(Number(new URL(origin).port), '127.0.0.1').on('error', () => {})
      socket.write(sent + body)
      const claim = async () => [...(await claims())].find(([id]) => !others.has(id))
      await until('it is claimed', async () => (await claim()) !== undefined)
      const first = await claim()
      test.clock.advance(60_000)
      await until('it is renewed', async () => {
        mock.timers.tick(30_000)
        const now = (await claim())?.[1] ?? null
        return now !== null && now !== first?.[1]
      })
      socket.destroy()
    } finally {
      mock.timers.reset()
    }
  })

  it('gives its key back when it was refused before all of it was read', async () => {
    assert.equal((await post(form('refuse', Buffer.alloc(300_000)), key('free'))).status, 409)
    assert.equal((await post(form('x', Buffer.from('one')), key('free'))).status, 200)
  })
})

describe('a body that is read while it arrives', () => {
  const put = (body: string | Uint8Array<ArrayBuffer>, type = 'application/octet-stream') =>
    fetch(`${origin}/api/v1/flow`, { method: 'PUT', body, headers: { 'content-type': type } })

  it('may be of any size, and of one of its types', async () => {
    const answer = await put(new Uint8Array(5 * MiB))
    assert.deepEqual(await answer.json(), { bytes: 5 * MiB, announced: 5 * MiB, type: 'application/octet-stream' })
    assert.equal((await put('{}', 'application/json')).status, 415)
  })

  it('is told to have ended early', async () => {
    const before = broken.length
    const head =
      'PUT /api/v1/flow HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 5000000\r\n\r\n'
    await sendRaw([head, Buffer.alloc(1000)], true)
    await until('the reader hears', () => broken.length > before)
    assert.equal((broken.at(-1) as { code?: string }).code, 'invalid_request')
  })
})
