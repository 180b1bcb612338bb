import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { type Answered, createTestCore, type RequestOptions, type TestCore } from '../src/testing/index.ts'
import { type FoundOperation, hasEnd, listOperations, takesJson } from '../src/testing/operations.ts'
import { contentOf } from './content.ts'
import {
  BROKEN_BODIES,
  LARGE_BODIES,
  MiB,
  NO_IDS,
  OTHER_TYPES,
  QUERIES,
  SOME_ID,
  wrongCredentials,
} from './hostile-values.ts'
import { builtinApplication, createOwner, type Owner, toyApplication } from './people.ts'

for (const [name, application] of [
  ['a toy module', toyApplication],
  ['the built-in modules', builtinApplication],
] as const) {
  describe(`hostile input to ${name}`, () => {
    let test: TestCore
    let owner: Owner
    let operations: FoundOperation[]
    before(async () => {
      test = await createTestCore({ modules: application.modules, env: { RATE_LIMIT_FACTOR: '0' } })
      owner = await createOwner(test, application)
      operations = listOperations(openapiDocument(test.core)).filter((each) => hasEnd(each) && takesJson(each))
    })
    after(() => test.close())

    const withBody = () => operations.filter(({ operation }) => operation.requestBody)
    const send = async (method: string, url: string, options: RequestOptions) => {
      // The requester itself checks that the answer is a whole problem and a declared one.
      const answer = await test.request(method, url, { token: owner.token, ...options })
      assertHarmless(answer, `${method} ${url}`)
      return answer
    }
    /** What stands in the database is the same after the work as before. */
    const writingNothing = async (work: () => Promise<void>) => {
      const before = await contentOf(test)
      await work()
      assert.deepEqual(await contentOf(test), before)
    }

    it('in bodies is refused by every route, and nothing is written', () =>
      writingNothing(async () => {
        for (const { method, path } of withBody())
          for (const [what, payload] of Object.entries(BROKEN_BODIES)) {
            const answer = await send(method, fill(path), { payload, headers: { 'content-type': 'application/json' } })
            assert.equal(answer.status, 400, `${method} ${path} with ${what}: ${answer.text}`)
          }
      }))

    it('of great size is refused by every route', () =>
      writingNothing(async () => {
        for (const { method, path } of withBody())
          for (const [what, payload] of Object.entries(LARGE_BODIES)) {
            const answer = await send(method, fill(path), { payload, headers: { 'content-type': 'application/json' } })
            assert.equal(answer.status, 413, `${method} ${path} with ${what}: ${answer.text}`)
          }
      }))

    it('of another content type is refused by every route', () =>
      writingNothing(async () => {
        for (const { method, path } of withBody())
          for (const type of OTHER_TYPES) {
            const answer = await send(method, fill(path), { payload: 'name=x', headers: { 'content-type': type } })
            assert.equal(answer.status, 415, `${method} ${path} with ${type}: ${answer.text}`)
          }
      }))

    it('in the texts of an otherwise good body is named', () =>
      writingNothing(async () => {
        for (const { method, path, operation } of withBody()) {
          // Bodies with a schema are objects; what is in the others is for their handlers to read.
          const example = Object(operation.requestBody?.content['application/json']?.example) as Record<string, unknown>
          for (const field of Object.keys(example).filter((key) => typeof example[key] === 'string')) {
            const answer = await send(method, fill(path), { body: { ...example, [field]: 'a\0b\ud800' } })
            assert.equal(answer.status, 400, answer.text)
            const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
            assert.ok(pointers.includes(`#/${field}`), answer.text)
          }
        }
      }))

    it('in place of an id is not found', () =>
      writingNothing(async () => {
        // A name of what is for operators is no id, and refused to everybody else, on record.
        for (const { method, path } of operations.filter(({ path }) => path.replace('{name}', '').includes('{')))
          for (const id of NO_IDS) {
            const answer = await send(method, path.replace(/\{\w+\}/, () => id).replace(/\{\w+\}/, SOME_ID), {
              body: method === 'GET' ? undefined : {},
            })
            assert.ok([404, 400].includes(answer.status), `${method} ${path} with ${id}: ${answer.text}`)
          }
      }))

    it('in the query is refused by every route', () =>
      writingNothing(async () => {
        for (const { method, path, operation } of operations)
          for (const query of QUERIES) {
            const answer = await send(method, `${fill(path)}?${query}`, { body: method === 'GET' ? undefined : {} })
            // What belongs to something that is not there is not found, before its cursor is looked at; and what is for
            // operators is for nobody else.
            const before = path.includes('{') ? [404] : operation['x-operator-roles'] ? [403] : []
            const accepted = query.startsWith('cursor=') ? [400, ...before] : [400]
            assert.ok(accepted.includes(answer.status), `${method} ${path}?${query}: ${answer.text}`)
          }
      }))

    it('to an address that nothing answers is not found, whatever it carries', async () => {
      for (const payload of ['', '{', '['.repeat(100_000), 'x'.repeat(2 * MiB)])
        for (const type of ['application/json', 'text/plain']) {
          const answer = await send('POST', '/api/v1/nowhere', { payload, headers: { 'content-type': type } })
          assert.equal(answer.status, 404, answer.text)
        }
    })

    it('in credentials is refused by every route that asks for one', async () => {
      for (const { method, path } of operations.filter(({ operation }) => operation.security?.length))
        for (const headers of wrongCredentials(owner.token)) {
          const answer = await send(method, fill(path), {
            token: null,
            headers,
            body: method === 'GET' ? undefined : {},
          })
          assert.equal(answer.status, 401, `${method} ${path} with ${JSON.stringify(headers)}: ${answer.text}`)
        }
    })

    it('in other headers is refused or ignored', async () => {
      const [{ path } = { path: '' }] = operations.filter(
        ({ method, operation, path }) => method === 'GET' && operation.security?.length && !path.includes('{'),
      )
      for (const id of ['', 'x', '\u00ff', SOME_ID, `${SOME_ID},${SOME_ID}`, 'x'.repeat(5000)]) {
        const answer = await send('GET', path, { headers: { 'x-store-id': id } })
        assert.ok([400, 403].includes(answer.status), answer.text)
      }
      for (const id of ['', '\u00ff', '{}', 'x'.repeat(500), "'; drop table toys"]) {
        const answer = await send('GET', path, { headers: { 'x-request-id': id } })
        assert.notEqual(answer.headers['x-request-id'], id)
      }
      for (const [header, value] of [
        ['x-forwarded-for', 'x'],
        ['x-forwarded-for', '::::,,,1.2.3'],
        ['accept', '\u00ff'],
        ['host', '@@'],
        ['if-none-match', '"'],
        ['range', 'bytes=-1'],
      ] as const)
        await send('GET', path, { headers: { [header]: value } })
      for (const method of ['PATCH', 'OPTIONS', 'TRACE']) assert.equal((await send(method, path, {})).status, 405)
    })

    it('on the wire itself never gets a 500', async () => {
      await test.app.listen({ host: '127.0.0.1', port: 0 })
      const { port } = test.app.server.address() as AddressInfo // it listens on a port
      const [{ path } = { path: '' }] = operations.filter(
        ({ method, operation }) => method === 'GET' && operation.security?.length,
      )
      const lines = (...more: string[]) =>
        `${[`GET ${fill(path)} HTTP/1.1`, 'Host: x', 'Connection: close', ...more].join('\r\n')}\r\n\r\n`
      const authorization = `Authorization: Bearer ${owner.token}`
      const requests: [string, RegExp][] = [
        [lines(authorization, authorization), / 401 /],
        [lines(authorization, 'Authorization: Basic eDp4'), / 401 /],
        [lines(authorization, `X-Long: ${'x'.repeat(100_000)}`), / 431 /],
        [lines(authorization, ...Array.from({ length: 5_000 }, (_, i) => `X-${i}: 1`)), / (200|404|431) /],
        [lines('X-Nul: a\0b'), / 400 /],
        [lines('No colon'), / 400 /],
        [lines('Content-Length: 5', 'Content-Length: 6'), / 400 /],
        [lines('Content-Length: 5', 'Transfer-Encoding: chunked'), / 400 /],
        ['GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', / 404 /],
        ['GET /api/v1/%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', / 40[04] /],
        ['GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', / 40[04] /],
        ['GET //\\..\\..//etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', / 404 /],
        [`GET /${'x'.repeat(15_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, / (404|414) /],
        ['GET /health\r\n\r\n', / (200|400) /],
        ['\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', / 400 /],
      ]
      for (const [request, expected] of requests) {
        const answer = await talk(port, request)
        assert.match(answer.split('\r\n', 1)[0] ?? '', expected, `${request.slice(0, 200)} → ${answer.slice(0, 500)}`)
        assertHarmless({ status: 400, text: answer }, request.slice(0, 200))
      }
      assert.match(await talk(port, lines(authorization)), /^HTTP\/1.1 (200|404) /)
    })
  })
}

function assertHarmless({ status, text }: Pick<Answered, 'status' | 'text'>, where: string): void {
  assert.ok(status < 500, `${where}: ${text}`)
  assert.doesNotMatch(
    text,
    /\bat .*\.(ts|js):\d+|node_modules|syntax error|invalid input syntax|violates|relation "/,
    where,
  )
}

function fill(path: string): string {
  return path.replace(/\{\w+\}/g, SOME_ID)
}

/** Sends bytes as they are and reads until the server hangs up. */
function talk(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request, 'latin1'))
    socket.setTimeout(60_000, () => socket.destroy(new Error(`no answer to ${request.slice(0, 100)}`)))
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1')
    })
    socket.on('close', () =>
      answer === '' ? reject(new Error(`nothing answered ${request.slice(0, 100)}`)) : resolve(answer),
    )
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)))
  })
}
