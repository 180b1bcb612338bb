import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createGunzip } from 'node:zlib'
import { type S3Server, startS3Server } from '../../../kernel/storage/s3-server.fixture.ts'
import type { TestCore } from '../../../testing/index.ts'
import { register } from '../../auth/auth.fixture.ts'
import { checkExport } from '../seals/check-export.ts'
import { checkpointKeys } from '../seals/checkpoint-keys.ts'
import { readLines } from '../seals/lines.ts'
import { archiveKey } from './archive.ts'
import {
  createRetentionCore,
  monthAgo,
  monthsOf,
  recordInMonths,
  removalsOf,
  removeExpiredOf,
  sealMonths,
} from './retention.fixture.ts'

const COUNT = 20

let server: S3Server
before(async () => {
  server = await startS3Server()
})
after(() => server.close())

/** A core whose new files go to one storage while there is another one too. */
async function createCoreOf(backend: 'local' | 's3'): Promise<TestCore> {
  const { bucket, endpoint, accessKeyId, secretAccessKey } = server.config
  const env = {
    AUDIT_ARCHIVE: 'true',
    FILE_STORAGE_BACKEND: backend,
    S3_BUCKET: bucket,
    S3_ENDPOINT: endpoint ?? '',
    S3_ACCESS_KEY_ID: accessKeyId ?? '',
    S3_SECRET_ACCESS_KEY: secretAccessKey ?? '',
  }
  return createRetentionCore({ env })
}

async function* older() {
  yield Buffer.from('an archive from before the storage was changed')
}

/** A tenant with records of fifteen months ago, and the key of their archive. */
async function expired(core: TestCore) {
  const { tenantId } = await register(core)
  await recordInMonths(core, tenantId, [15], { count: COUNT })
  await sealMonths(core, tenantId)
  return { tenantId, key: archiveKey(tenantId, monthAgo(core, 15).slice(0, 7)) }
}

for (const [backend, other] of [
  ['s3', 'local'],
  ['local', 's3'],
] as const)
  test(`a month has one archive, where files go now (${backend}), also when there was one elsewhere`, async () => {
    const core = await createCoreOf(backend)
    try {
      const { tenantId, key } = await expired(core)
      const { storages, storage } = core.core
      await storages.of(other).write(key, older())
      await removeExpiredOf(core, tenantId)
      assert.equal((await removalsOf(core, tenantId)).length, 1)
      assert.equal(storage.backend, backend)
      assert.equal(await storages.of(other).has(key), false)
      const lines = readLines(storage.read(key).compose(createGunzip()))
      const verdict = await checkExport(lines, core.core.use(checkpointKeys).all)
      assert.deepEqual([verdict.first_invalid, verdict.tenant_id], [null, tenantId])
      assert.ok(verdict.checked >= COUNT)
    } finally {
      await core.close()
    }
  })

test('nothing is given up while an archive elsewhere cannot be replaced', async () => {
  const core = await createCoreOf('local')
  try {
    const { tenantId, key } = await expired(core)
    await core.core.storages.of('s3').write(key, older())
    server.intercept((request, response) => {
      if (request.method !== 'DELETE') return false
      response.writeHead(403).end()
      return true
    })
    await removeExpiredOf(core, tenantId)
    assert.deepEqual(await monthsOf(core, tenantId), [[15, COUNT]])
    assert.equal((await removalsOf(core, tenantId)).length, 0)
  } finally {
    server.intercept(null)
    await core.close()
  }
})
