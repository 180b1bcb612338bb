import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { envOf, type S3Server, startS3Server } from '../../../../kernel/storage/s3-server.fixture.ts'
import type { TestCore, TestTenant } from '../../../../testing/index.ts'
import { assertNothingLeft, createFileCore, holdings, MiB, MOST_BYTES, setQuota } from '../../files.fixture.ts'
import { begun, letters, offsetOf, send, sha256 } from './tus.fixture.ts'
import { client } from './tus-client.fixture.ts'

let s3: S3Server
let test: TestCore
let tenant: TestTenant
let port: number
before(async () => {
  s3 = await startS3Server()
  test = await createFileCore({ env: { FILE_STORAGE_BACKEND: 's3', ...envOf(s3) } })
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  port = (test.app.server.address() as AddressInfo).port // it listens on a port
})
after(async () => {
  await test?.close()
  await s3?.close()
})
beforeEach(async () => {
  tenant = await test.foundTenant()
  await setQuota(test, tenant, MOST_BYTES)
})
afterEach(() => s3.intercept(null))

/** The keys of what lies there of a tenant's uploads. */
async function piecesOf({ id }: TestTenant): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of test.core.storages.current.list(`uploads/${id}`)) keys.push(key)
  return keys
}

async function assertFile(id: string, content: Buffer): Promise<void> {
  const { status, body } = await tenant.owner.get(`/files/${id}`)
  assert.deepEqual([status, body.checksum_sha256, body.storage_backend], [200, sha256(content), 's3'])
  const { text } = await tenant.owner.get(`/files/${id}/download`)
  assert.equal(sha256(text), sha256(content))
  await test.drainJobs(tenant.id)
  assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: content.length, objects: 1 })
}

describe('a resumable upload into a bucket', () => {
  it('comes whole, in one request or in many', async () => {
    for (const options of [{}, { chunkSize: 700_000 }]) {
      tenant = await test.foundTenant()
      const content = letters(3 * MiB)
      const { done } = await client({ port, who: tenant.owner }, content, options)
      await assertFile((await done).split('/').at(-1) ?? '', content)
    }
  })

  it('stands where it stood when the bucket takes a piece, or the file of all pieces, no more', async () => {
    const content = letters(60_000)
    const id = await begun(tenant.owner, content.length)
    assert.equal((await send(tenant.owner, id, 0, content.subarray(0, 20_000))).status, 204)
    for (const folder of ['uploads', 'files']) {
      s3.intercept(({ method, url }, response) => {
        if (method !== 'PUT' || !url?.startsWith(`/files/${folder}/`)) return false
        response.writeHead(403, { connection: 'close' }).end()
        return true
      })
      assert.equal((await send(tenant.owner, id, 20_000, content.subarray(20_000))).status, 500)
      assert.equal(await offsetOf(tenant.owner, id), 20_000)
    }
    s3.intercept(null)
    assert.equal((await send(tenant.owner, id, 20_000, content.subarray(20_000))).status, 204)
    await assertFile(id, content)
  })

  it('never becomes a file with a piece that is not what was sent', async () => {
    const content = letters(60_000)
    const id = await begun(tenant.owner, content.length)
    assert.equal((await send(tenant.owner, id, 0, content.subarray(0, 20_000))).status, 204)
    const [key = ''] = await piecesOf(tenant)
    s3.damage(key)
    assert.equal((await send(tenant.owner, id, 20_000, content.subarray(20_000))).status, 409)
    assert.equal((await tenant.owner.get(`/files/${id}`)).status, 404)
    await assertNothingLeft(test, tenant)
  })
})
