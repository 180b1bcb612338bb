import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '../config/config.ts'
import { copyBetween } from './copy.ts'
import { type OpenStorages, openStorages } from './open.ts'
import { envOf, type S3Server, startS3Server } from './s3-server.fixture.ts'
import { FileMissing, type FileStorage, StorageDamaged, StorageUnknown } from './storage.ts'
import { pieces, sha256 } from './storage-suite.fixture.ts'

let server: S3Server
let dataDir: string
let storages: OpenStorages
let local: FileStorage
let bucket: FileStorage
before(async () => {
  server = await startS3Server()
  dataDir = await mkdtemp(join(tmpdir(), 'copy-'))
  storages = openStorages(loadConfig(settings('s3')))
  local = storages.of('local')
  bucket = storages.of('s3')
})
after(async () => {
  await storages.close()
  await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

function settings(backend: string) {
  return { DATA_DIR: dataDir, FILE_STORAGE_BACKEND: backend, ...envOf(server) }
}

const text = async (from: FileStorage, key: string) => `${Buffer.concat(await from.read(key).toArray())}`

describe('the storages of an installation', () => {
  test('are all that the settings describe, the one for new files first', async () => {
    const backends = ({ all, current }: OpenStorages) => [current.backend, ...all.map(({ backend }) => backend)]
    assert.deepEqual(backends(storages), ['s3', 's3', 'local'])
    assert.deepEqual(backends(openStorages(loadConfig(settings('local')))), ['local', 'local', 's3'])
    const alone = openStorages(loadConfig({ DATA_DIR: dataDir }))
    assert.deepEqual(backends(alone), ['local', 'local'])
    assert.throws(() => alone.of('s3'), StorageUnknown)
  })
})

describe('a copy', () => {
  test('lies in the other storage as in the first, either way', async () => {
    for (const [from, to] of [
      [local, bucket],
      [bucket, local],
    ] as const) {
      const key = `copies/from-${from.backend}`
      await from.write(key, pieces('content'))
      assert.deepEqual(await copyBetween(from, to, key, { contentType: 'text/plain' }), {
        bytes: 7,
        sha256: sha256('content'),
      })
      assert.deepEqual([await text(from, key), await text(to, key)], ['content', 'content'])
    }
  })

  test('that is there is not sent again; another content of the same size is', async () => {
    await local.write('copies/again', pieces('content'))
    const puts = () => server.asked.filter((line) => line.startsWith('PUT')).length
    const first = await copyBetween(local, bucket, 'copies/again')
    const sent = puts()
    assert.deepEqual(await copyBetween(local, bucket, 'copies/again'), first)
    assert.equal(puts(), sent)
    await local.write('copies/again', pieces('CONTENT'))
    await copyBetween(local, bucket, 'copies/again')
    assert.equal(await text(bucket, 'copies/again'), 'CONTENT')
  })

  test('goes on where a run was interrupted after the first file was deleted', async () => {
    await bucket.write('copies/moved', pieces('content'))
    assert.deepEqual(await copyBetween(local, bucket, 'copies/moved'), { bytes: 7, sha256: sha256('content') })
    await assert.rejects(copyBetween(local, bucket, 'copies/none'), FileMissing)
    await assert.rejects(copyBetween(local, local, 'copies/moved'), /another storage/)
  })

  test('that is what is expected is left alone, whatever the first storage holds', async () => {
    const expected = { bytes: 7, sha256: sha256('content') }
    await bucket.write('copies/good', pieces('content'))
    for (const held of ['CONTENT', 'cut']) {
      await local.write('copies/good', pieces(held))
      const puts = server.asked.filter((line) => line.startsWith('PUT')).length
      assert.deepEqual(await copyBetween(local, bucket, 'copies/good', { expected }), expected)
      assert.equal(server.asked.filter((line) => line.startsWith('PUT')).length, puts)
      assert.equal(await text(bucket, 'copies/good'), 'content')
    }
    await local.delete('copies/good')
    assert.deepEqual(await copyBetween(local, bucket, 'copies/good', { expected }), expected)
  })

  test('is written over by nothing that is not expected, or that was not read whole', async () => {
    const expected = { bytes: 7, sha256: sha256('content') }
    for (const there of [null, 'neither']) {
      const key = `copies/wrong-${there}`
      if (there !== null) await bucket.write(key, pieces(there))
      for (const held of ['CONTENT', 'cut']) {
        await local.write(key, pieces(held))
        await assert.rejects(copyBetween(local, bucket, key, { expected }), StorageDamaged)
        assert.equal(there === null ? await bucket.size(key) : await text(bucket, key), there)
      }
    }
    await bucket.write('copies/cut', pieces('content'))
    await local.write('copies/cut', pieces('older'))
    server.intercept((request, response) => {
      if (request.method === 'GET') response.end('cont')
      return request.method === 'GET'
    })
    await assert.rejects(copyBetween(bucket, local, 'copies/cut'), StorageDamaged)
    server.intercept(null)
    assert.equal(await text(local, 'copies/cut'), 'older')
  })

  test('that fails leaves both as they were', async () => {
    await local.write('copies/failing', pieces('new'))
    await bucket.write('copies/failing', pieces('older'))
    server.intercept((request, response) => {
      if (request.method !== 'PUT') return false
      request.resume()
      response.writeHead(403).end()
      return true
    })
    await assert.rejects(copyBetween(local, bucket, 'copies/failing'))
    server.intercept(null)
    assert.deepEqual([await text(local, 'copies/failing'), await text(bucket, 'copies/failing')], ['new', 'older'])
  })
})
