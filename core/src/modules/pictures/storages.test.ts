import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Backend, type FileStorage, HOURS } from '#kernel'
import { envOf, type S3Server, startS3Server } from '../../kernel/storage/s3-server.fixture.ts'
import { contextOf } from '../../testing/context.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { sizesOf } from './kept.ts'
import { listPicturesElsewhere, movePicture } from './move.ts'
import { formOf, look, paint } from './pictures.fixture.ts'
import { keyOf } from './variants.ts'

let server: S3Server
let t: TestCore
let shop: TestTenant
before(async () => {
  server = await startS3Server()
  t = await createTestCore({ env: { FILE_STORAGE_BACKEND: 's3', ...envOf(server) } })
  shop = await t.foundTenant()
})
after(async () => {
  await t?.close()
  await server?.close()
})

const filesIn = async (backend: 'local' | 's3') => {
  let files = 0
  for await (const _ of t.core.storages.of(backend).list('pictures')) files++
  return files
}
const show = async () =>
  (await shop.owner.request('POST', '/users/me/avatar', formOf(await paint(40, 40)))).body.avatar_url

test('a picture in a bucket is seen, and goes', async () => {
  const url = await show()
  assert.deepEqual([await filesIn('s3'), await filesIn('local')], [6, 0])
  const { status, content } = await look(t, `${url}?size=64`)
  assert.deepEqual([status, content.toString('latin1', 8, 12)], [200, 'WEBP'])
  await shop.owner.delete('/users/me/avatar')
  await t.drainJobs(shop.id)
  assert.deepEqual([await filesIn('s3'), (await look(t, url)).status], [0, 404])
})

const ctx = () => contextOf(t.core, shop.id)
const elsewhere = (to: Backend, from: Backend | null = null) =>
  listPicturesElsewhere(ctx(), { to, from, after: null, limit: 10 })
const move = (id: string, to: Backend) => movePicture(ctx(), { to: t.core.storages.of(to), open: watched }, id)
/** What is read to be moved, as the command counts and interrupts it. */
const readings: string[] = []
const watched = (backend: Backend): FileStorage => {
  const storage = t.core.storages.of(backend)
  return {
    ...storage,
    read(key, range) {
      readings.push(`${backend} ${key}`)
      return storage.read(key, range)
    },
  }
}
const idOf = (url: string) => String(url.split('/').at(-1))
const hourLater = async () => {
  t.clock.advance(1.1 * HOURS)
  await t.drainJobs(null)
}

test('a picture is moved to another storage and back, and seen all the time; nothing stays behind', async () => {
  const url = await show()
  for (const [from, to] of [
    ['s3', 'local'],
    ['local', 's3'],
  ] as const) {
    const [{ id } = { id: '' }, ...others] = await elsewhere(to)
    assert.deepEqual([url.endsWith(id), others, await elsewhere(to, to)], [true, [], []])
    readings.length = 0
    assert.equal(await move(id, to), true)
    assert.deepEqual([readings.length, readings.every((each) => each.startsWith(`${from} pictures/${id}/`))], [6, true])
    assert.equal(await move(id, to), false)
    // By a clock that has not been moved yet, what a worker does at once is done.
    await t.drainJobs(null)
    assert.deepEqual([await filesIn(from), await filesIn(to)], [6, 6], 'who has read the row a moment ago')
    assert.equal((await look(t, url)).status, 200)
    await hourLater()
    assert.deepEqual([await filesIn(from), await filesIn(to), (await look(t, url)).status], [0, 6, 200])
    assert.deepEqual(await elsewhere(to), [])
  }
})

test('a picture whose storage is empty, as a disk that is not mounted, is not moved', async () => {
  const id = idOf(await show())
  await move(id, 'local')
  await hourLater()
  const folder = join(t.dataDir, 'files', 'pictures')
  await rename(folder, `${folder}-away`)
  await assert.rejects(move(id, 's3'), /^Error: the storage local does not have it$/)
  await rename(`${folder}-away`, folder)
  await hourLater()
  assert.deepEqual([await elsewhere('s3'), await filesIn('local')], [[{ id, storage_backend: 'local' }], 6])
  assert.equal(await move(id, 's3'), true)
})

test('a picture of which the other storage kept only a part is not moved', async () => {
  const id = idOf(await show())
  const local = t.core.storages.of('local')
  const { write } = local
  local.write = async (key, content, options) => {
    const written = await write.call(local, key, content, options)
    if (key.endsWith('128.png')) await local.delete(key)
    return written
  }
  await assert.rejects(move(id, 'local'), /^Error: the storage local did not keep pictures.*128.png$/).finally(() => {
    local.write = write
  })
  assert.ok((await elsewhere('local', 's3')).some((each) => each.id === id))
})

test('a picture that the other storage loses in the moment of the move stays where it was', async () => {
  const url = await show()
  const id = idOf(url)
  const local = t.core.storages.of('local')
  const { list } = local
  let looks = 0
  local.list = async function* (folder) {
    if (++looks === 2) await local.delete(keyOf(id, 64, 'png'))
    yield* list.call(local, folder)
  }
  await assert.rejects(move(id, 'local'), /^Error: the storage local has lost it again$/).finally(() => {
    local.list = list
  })
  await hourLater()
  assert.deepEqual([(await look(t, url)).status, (await sizesOf(t.core.storages.of('s3'), id)).size], [200, 6])
})

test('a picture that the other storage loses within the hour is seen where it was', async () => {
  const url = await show()
  const id = idOf(url)
  for (const to of ['local', 's3'] as const) {
    await move(id, to)
    if (to === 's3') await hourLater()
  }
  await move(id, 'local')
  await t.core.storages.of('local').delete(keyOf(id, 256, 'webp'))
  await hourLater()
  assert.deepEqual(
    [(await look(t, url)).status, (await elsewhere('local')).some((each) => each.id === id)],
    [200, true],
  )
})

test('of a picture that its owner takes away while it is copied nothing stays', async () => {
  const url = await show()
  const [s3, local] = [t.core.storages.of('s3'), t.core.storages.of('local')]
  const { write } = local
  local.write = async (key, content, options) => {
    local.write = write
    const written = await write.call(local, key, content, options)
    await shop.owner.delete('/users/me/avatar')
    await t.drainJobs(null)
    await t.drainJobs(shop.id)
    return written
  }
  assert.equal(await movePicture(ctx(), { to: local, open: () => s3 }, idOf(url)), false)
  await t.drainJobs(null)
  for (const storage of [s3, local]) assert.equal((await sizesOf(storage, idOf(url))).size, 0, storage.backend)
})
