import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createS3Storage, type S3Storage } from './s3.ts'
import { type S3Server, startS3Server } from './s3-server.fixture.ts'
import type { DirectRequest } from './storage.ts'
import { describeStorage, pieces } from './storage-suite.fixture.ts'

const imports = `import { createS3Storage } from ${JSON.stringify(new URL('./s3.ts', import.meta.url).href)}`

describeStorage('in a bucket', async () => {
  const server = await startS3Server()
  const storage = createS3Storage(server.config)
  return {
    storage,
    inChild: { imports, expression: `createS3Storage(${JSON.stringify(server.config)})` },
    seed: server.seed,
    largeMib: 200,
    unfinished: server.openUploads,
    close: async () => {
      await storage.close()
      await server.close()
    },
  }
})

describe('an upload straight to the bucket', () => {
  let server: S3Server
  let storage: S3Storage
  before(async () => {
    server = await startS3Server()
    storage = createS3Storage(server.config)
  })
  after(async () => {
    await storage.close()
    await server.close()
  })

  const upload = { bytes: 5, contentType: 'image/png', expiresInSeconds: 60 }
  async function put(request: DirectRequest | null, body: string, type = upload.contentType): Promise<number> {
    assert.ok(request)
    const answer = await fetch(request.url, { method: request.method, headers: { 'content-type': type }, body })
    await answer.arrayBuffer()
    return answer.status
  }

  test('is taken as it was signed', async () => {
    const request = await storage.presignUpload('direct/one', upload)
    assert.deepEqual(
      { ...request, url: '' },
      { method: 'PUT', url: '', headers: { 'content-type': 'image/png', 'content-length': '5' } },
    )
    assert.equal(await put(request, '12345'), 200)
    assert.equal(await storage.size('direct/one'), 5)
  })

  test('is refused with another length, another type or under another key', async () => {
    const request = await storage.presignUpload('direct/two', upload)
    assert.equal(await put(request, '123456'), 403)
    assert.equal(await put(request, '1234'), 403)
    assert.equal(await put(request, '12345', 'text/html'), 403)
    const elsewhere = request && { ...request, url: request.url.replace('direct/two', 'direct/three') }
    assert.equal(await put(elsewhere, '12345'), 403)
    assert.deepEqual([await storage.has('direct/two'), await storage.has('direct/three')], [false, false])
  })

  test('is signed for its time, without secret and without a checksum of nothing, whatever the settings say', async () => {
    for (const checksums of ['when_required', 'when_supported'] as const) {
      const own = createS3Storage({ ...server.config, secretAccessKey: 'not-to-be-seen', checksums })
      const request = await own.presignUpload('direct/four', upload)
      const query = new URL(request?.url ?? '').searchParams
      assert.equal(query.get('X-Amz-SignedHeaders'), 'content-length;content-type;host')
      assert.equal(query.get('X-Amz-Expires'), '60')
      assert.deepEqual(
        [...query.keys()].filter((name) => /checksum/i.test(name)),
        [],
      )
      assert.doesNotMatch(request?.url ?? '', /not-to-be-seen/)
      await own.close()
    }
  })

  test('does not keep files from being written with the checksums of newer SDKs', async () => {
    const sent: (string | undefined)[] = []
    server.intercept((request) => {
      if (request.method === 'PUT')
        sent.push(Object.keys(request.headers).find((name) => name.startsWith('x-amz-checksum-')))
      return false
    })
    for (const checksums of ['when_required', 'when_supported'] as const) {
      const own = createS3Storage({ ...server.config, checksums })
      await own.write('checked', pieces('content'))
      await own.close()
    }
    server.intercept(null)
    assert.deepEqual(sent, [undefined, 'x-amz-checksum-crc32'])
  })
})
