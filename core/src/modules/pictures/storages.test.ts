import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { envOf, type S3Server, startS3Server } from '../../kernel/storage/s3-server.fixture.ts'
import { contextOf } from '../../testing/context.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { listPicturesElsewhere, movePicture } from './index.ts'
import { formOf, look, paint } from './pictures.fixture.ts'

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

test('a picture is moved to another storage and back, and seen all the time; nothing stays behind', async () => {
  const ctx = contextOf(t.core, shop.id)
  const url = await show()
  for (const [from, to] of [
    ['s3', 'local'],
    ['local', 's3'],
  ] as const) {
    const [id = '', ...others] = await listPicturesElsewhere(ctx, to, { after: null, limit: 10 })
    assert.deepEqual([url.endsWith(id), others], [true, []])
    assert.equal(await movePicture(ctx, id, to), true)
    assert.equal(await movePicture(ctx, id, to), false)
    await t.drainJobs(null)
    assert.deepEqual([await filesIn(from), await filesIn(to), (await look(t, url)).status], [0, 6, 200])
    assert.deepEqual(await listPicturesElsewhere(ctx, to, { after: null, limit: 10 }), [])
  }
})
