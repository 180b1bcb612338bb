import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, afterEach, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import type { S3Config } from '../config/config.ts'
import { createS3Storage, type S3Storage } from './s3.ts'
import { type S3Server, startS3Server } from './s3-server.fixture.ts'
import { StorageDamaged, StorageFailed, StorageFull } from './storage.ts'
import { keysIn, pieces } from './storage-suite.fixture.ts'

const MIB = 1024 * 1024

let server: S3Server
let storage: S3Storage
before(async () => {
  server = await startS3Server()
  storage = createS3Storage(server.config)
})
afterEach(() => server.intercept(null))
after(async () => {
  await storage.close()
  await server.close()
})

const text = async (key: string) => `${Buffer.concat(await storage.read(key).toArray())}`

/** Answers the requests that are chosen in place of the bucket. */
function answer(chosen: (request: IncomingMessage) => boolean, by: (response: ServerResponse) => void): void {
  server.intercept((request, response) => {
    if (!chosen(request)) return false
    request.resume()
    by(response)
    return true
  })
}
const isPut = ({ method }: IncomingMessage) => method === 'PUT'
const isGet = ({ method }: IncomingMessage) => method === 'GET'
const refusal = (status: number, code: string) => (response: ServerResponse) =>
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<Error><Code>${code}</Code><Message>no</Message></Error>`)

describe('a bucket', () => {
  test('that keeps something else than was sent is found out, and the file is gone', async () => {
    for (const bytes of [10, 9 * MIB]) {
      server.intercept((request) => {
        if (isGet(request)) server.damage('rotten')
        return false
      })
      await assert.rejects(storage.write('rotten', pieces(Buffer.alloc(bytes))), StorageDamaged)
      server.intercept(null)
      assert.equal(await storage.has('rotten'), false)
    }
  })

  test('that cannot be read again has written nothing', async () => {
    answer(isGet, refusal(403, 'AccessDenied'))
    await assert.rejects(storage.write('unread', pieces('content')), StorageFailed)
    server.intercept(null)
    assert.equal(await storage.has('unread'), false)
  })

  test('without room says so, and keeps the earlier file', async () => {
    await storage.write('full', pieces('whole'))
    for (const [status, code] of [
      [507, 'InsufficientStorage'],
      [403, 'QuotaExceeded'],
      [400, 'XMinioAdminBucketQuotaExceeded'],
    ] as const)
      for (const bytes of [10, 20 * MIB]) {
        // Of a large file the first part finds room.
        answer((request) => isPut(request) && !request.url?.includes('partNumber=1&'), refusal(status, code))
        await assert.rejects(storage.write('full', pieces(Buffer.alloc(bytes))), StorageFull)
        server.intercept(null)
        assert.equal(await text('full'), 'whole')
        assert.equal(await server.openUploads(), 0)
      }
  })

  test('that fails for a moment is asked again', async () => {
    let failures = 2
    answer((request) => isPut(request) && failures-- > 0, refusal(503, 'SlowDown'))
    assert.equal((await storage.write('patient', pieces('content'))).bytes, 7)
  })

  test('that breaks off, or sends another part, gives no content that seems whole', async () => {
    await storage.write('part', pieces('0123456789'))
    answer(isGet, (response) => {
      response.writeHead(200, { 'content-length': '10' }).write('012')
      setImmediate(() => response.destroy())
    })
    await assert.rejects(text('part'), StorageFailed)
    answer(isGet, (response) => response.end('0123456789'))
    await assert.rejects(storage.read('part', { start: 3, end: 5 }).toArray(), StorageFailed)
  })

  test('that clients read and do not go on with is written to and read all the same', { timeout: 60_000 }, async () => {
    await storage.write('held', pieces('0123456789'))
    answer(
      (request) => isGet(request) && request.url?.includes('held') === true,
      (response) => response.writeHead(200, { 'content-length': '10' }).write('012'),
    )
    const held = Array.from({ length: 205 }, () => storage.read('held', undefined, { isForClient: true }))
    await Promise.all(held.map((content) => once(content, 'readable')))
    assert.equal((await storage.write('free', pieces('content'))).bytes, 7)
    assert.equal(await text('free'), 'content')
    const other = await storage.read('free', undefined, { isForClient: true }).toArray()
    assert.equal(`${Buffer.concat(other)}`, 'content')
    for (const content of held) content.destroy()
  })

  test('whose lists are out of order or end too early is not believed', async () => {
    const list = (items: string) => (response: ServerResponse) =>
      response.end(`<ListBucketResult>${items}</ListBucketResult>`)
    const contents = (...keys: string[]) =>
      keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')
    answer(isGet, list(contents('b', 'a')))
    await assert.rejects(keysIn(storage, ''), /order of their keys/)
    answer(isGet, list(`<IsTruncated>true</IsTruncated>${contents('a')}`))
    await assert.rejects(keysIn(storage, ''), /too early/)
    answer(isGet, list(contents('A', 'Foo bar', '.check/x', 'a')))
    assert.deepEqual(await keysIn(storage, ''), ['a'], 'what is not ours is left out')
  })

  test('that is not there has no missing files: it fails', async () => {
    const nowhere = createS3Storage({ ...server.config, bucket: 'nowhere' })
    const looks = [
      () => nowhere.has('a'),
      () => nowhere.size('a'),
      () => nowhere.read('a').toArray(),
      () => keysIn(nowhere, ''),
      () => nowhere.delete('a'),
    ]
    for (const look of looks)
      await assert.rejects(look, (error) => error instanceof StorageFailed && error.reason === 'NoSuchBucket')
    await nowhere.close()
  })
})

describe('what is wrong with a bucket', () => {
  const wrong: [what: string, config: Partial<S3Config>, says: RegExp][] = [
    ['its name', { bucket: 'nowhere' }, /no such bucket: create it, or correct S3_BUCKET/],
    ['the key', { accessKeyId: 'NOT-KNOWN' }, /InvalidAccessKeyId.*correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/],
    ['the secret', { secretAccessKey: 'hunter2hunter2' }, /SignatureDoesNotMatch.*correct S3_ACCESS_KEY_ID/],
    ['its address', { endpoint: 'http://127.0.0.1:1' }, /ECONNREFUSED.*look at S3_ENDPOINT/],
  ]
  for (const [what, config, says] of wrong)
    test(`is said in a sentence, without anything secret: ${what}`, async () => {
      const own = createS3Storage({ ...server.config, ...config })
      const errors = await Promise.all(
        [own.check(), own.write('a', pieces('x')), own.read('a').toArray(), own.size('a'), own.delete('a')].map(
          (work) =>
            Promise.resolve(work).then(
              () => null,
              (error: unknown) => error,
            ),
        ),
      )
      await own.close()
      assert.match((errors[0] as Error).message, says) // what rejected
      for (const error of errors) {
        assert.ok(error instanceof StorageFailed, inspect(error))
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /hunter2|NOT-KNOWN|S3RVER|AWS4-HMAC/)
      }
    })

  test('is said of refusals of every kind', async () => {
    for (const [status, code, says] of [
      [403, 'AccessDenied', /must be allowed to read, write, delete and list/],
      [301, 'PermanentRedirect', /another region: correct S3_REGION/],
      [400, 'AuthorizationHeaderMalformed', /another region: correct S3_REGION/],
      [403, 'RequestTimeTooSkewed', /synchronise it/],
      [507, 'XMinioStorageFull', /no room left/],
      [418, 'Teapot', /\(Teapot\)/],
    ] as const) {
      answer(isPut, refusal(status, code))
      await assert.rejects(storage.check(), says)
    }
  })

  test('is said also where what was written to find it out cannot be removed again', async () => {
    server.intercept((request, response) => {
      if (!isGet(request) && request.method !== 'DELETE') return false
      refusal(isGet(request) ? 403 : 418, isGet(request) ? 'AccessDenied' : 'Teapot')(response)
      return true
    })
    await assert.rejects(storage.check(), /must be allowed to read/)
    answer(({ method }) => method === 'DELETE', refusal(418, 'Teapot'))
    await assert.rejects(storage.check(), /\(Teapot\)/)
  })
})
