import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DAYS } from '#kernel'
import type { TestCore, TestTenant } from '../../testing/index.ts'
import {
  assertNothingLeft,
  createFileCore,
  historyOf,
  holdings,
  NOTHING,
  picture,
  text,
  uploaded,
} from './files.fixture.ts'
import { purgeTrash } from './trash.ts'

let test: TestCore
let tenant: TestTenant
before(async () => {
  test = await createFileCore()
})
after(() => test?.close())
beforeEach(async () => {
  tenant = await test.foundTenant()
})

const listed = async (query = ''): Promise<string[]> =>
  (await tenant.owner.get(`/files${query}`)).body.data.map(({ id }: { id: string }) => id)

describe('the trash', () => {
  it('has what was deleted, which is in no other list and cannot be downloaded or changed', async () => {
    const { owner } = tenant
    const [kept, thrown] = [await uploaded(owner), await uploaded(owner)]
    assert.equal((await owner.delete(`/files/${thrown.id}`)).status, 204)
    assert.equal((await owner.delete(`/files/${thrown.id}`)).status, 204, 'again')
    assert.deepEqual([await listed(), await listed('?trashed=true')], [[kept.id], [thrown.id]])
    assert.equal((await owner.get(`/files/${thrown.id}/download`)).status, 404)
    assert.equal((await owner.put(`/files/${thrown.id}`, { is_public: true })).status, 409)
    assert.notEqual((await owner.get(`/files/${thrown.id}`)).body.trashed_at, null)
  })

  it('gives back what is restored, with the same content', async () => {
    const { owner } = tenant
    const { id } = await uploaded(owner, text('back again'))
    await owner.delete(`/files/${id}`)
    assert.equal((await owner.post(`/files/${id}/restore`)).body.trashed_at, null)
    assert.equal((await owner.post(`/files/${id}/restore`)).status, 200, 'again')
    assert.equal((await owner.get(`/files/${id}/download`)).text, 'back again')
    assert.deepEqual((await historyOf(test, id)).slice(0, 3), ['file.created', 'file.trashed', 'file.restored'])
  })

  it('gives nothing back that has no room any more', async () => {
    const { owner } = tenant
    const entity_id = (await owner.get('/stores')).body.data[0].id
    const painting = { entity_type: 'painting', entity_id }
    const { id } = await uploaded(owner, picture(), painting)
    await owner.delete(`/files/${id}`)
    for (let more = 0; more < 2; more++) await uploaded(owner, picture(), painting)
    assert.equal((await owner.post(`/files/${id}/restore`)).status, 409)
  })

  it('is emptied by whoever may delete files everywhere: rows and quota at once, the content after it', async () => {
    const { owner, id: tenantId } = tenant
    const files = await Promise.all(Array.from({ length: 5 }, () => uploaded(owner)))
    for (const { id } of files) await owner.delete(`/files/${id}`)
    const clerk = await tenant.member({ role: 'manager', store: (await owner.get('/stores')).body.data[0].id })
    assert.equal((await clerk.delete('/files/trash')).status, 403)
    assert.equal((await owner.delete('/files/trash')).status, 204)
    assert.deepEqual(await holdings(test, tenantId), { ...NOTHING, objects: 5 })
    await assertNothingLeft(test, tenant)
    assert.deepEqual((await historyOf(test, files[0].id)).at(-1), 'file.deleted')
    assert.equal((await owner.delete('/files/trash')).status, 204, 'an empty one')
  })

  it('of many files is emptied in parts, and keeps what is thrown away meanwhile', async () => {
    const { owner, id: tenantId } = tenant
    const { id } = await uploaded(owner)
    await test.core.db.systemQuery(
      `insert into files select tenant_id, gen_random_uuid(), uploaded_by, filename, original_filename, content_type, size, checksum_sha256,
         storage_backend, storage_path || '-' || n, entity_type, entity_id, store_id, is_public, scan_status, created_at, missing_at, created_at, updated_at
       from files, generate_series(1, 450) n where id = $1`,
      [id],
    )
    await test.core.db.systemQuery(
      `update limit_usage set used = used * 451 where tenant_id = $1 and limit_name = 'storage_bytes'`,
      [tenantId],
    )
    assert.equal((await owner.delete('/files/trash')).status, 204)
    await owner.delete(`/files/${id}`)
    await test.drainJobs(tenantId)
    const { files, used } = await holdings(test, tenantId)
    assert.deepEqual([files, used], [1, 8])
  })

  it('is emptied by itself after 30 days, and not before', async () => {
    const { owner, id: tenantId } = tenant
    const [old, kept] = [await uploaded(owner), await uploaded(owner)]
    await owner.delete(`/files/${old.id}`)
    test.clock.advance(30 * DAYS - 1_000)
    await test.runSchedule(purgeTrash)
    assert.equal((await holdings(test, tenantId)).files, 2)
    test.clock.advance(2_000)
    await test.runSchedule(purgeTrash)
    await test.drainJobs(tenantId)
    assert.deepEqual(await holdings(test, tenantId), { files: 1, uploads: 0, used: kept.size, objects: 1 })
  })

  it('loses no file that is restored at the moment in which it is emptied', async () => {
    const { owner, id: tenantId } = tenant
    const files = await Promise.all(Array.from({ length: 20 }, () => uploaded(owner)))
    for (const { id } of files) await owner.delete(`/files/${id}`)
    const [, ...restored] = await Promise.all([
      owner.delete('/files/trash'),
      ...files.map(({ id }) => owner.post(`/files/${id}/restore`)),
    ])
    await test.drainJobs(tenantId)
    const back = restored.filter(({ status }) => status === 200)
    assert.ok(restored.every(({ status }) => status === 200 || status === 404))
    for (const { body } of back) assert.equal((await owner.get(`/files/${body.id}/download`)).status, 200)
    const bytes = back.length * 8
    assert.deepEqual(await holdings(test, tenantId), {
      files: back.length,
      uploads: 0,
      used: bytes,
      objects: back.length,
    })
  })
})

describe('a file', () => {
  it('is renamed, but for its ending, and every change is recorded once', async () => {
    const { owner } = tenant
    const { id } = await uploaded(owner)
    assert.equal(
      (await owner.put(`/files/${id}`, { filename: ' Einkauf: neu?.txt ' })).body.filename,
      'Einkauf_ neu_.txt',
    )
    for (const filename of ['x.exe', 'x', '..', 'a.TXT.html', '\u202e']) {
      const { status, body } = await owner.put(`/files/${id}`, { filename })
      assert.deepEqual([status, body.errors?.[0].pointer], [400, '#/filename'], filename)
    }
    await owner.put(`/files/${id}`, { is_public: false })
    assert.deepEqual(await historyOf(test, id), ['file.created', 'file.updated'])
  })

  it('is found by part of its name, its type and what it belongs to', async () => {
    const { owner } = tenant
    const entity_id = (await owner.get('/stores')).body.data[0].id
    const note = await uploaded(owner, text('a', 'Menu 100%.txt'), { entity_type: 'store', entity_id })
    const dot = await uploaded(owner, picture())
    const cases: [query: string, found: string[]][] = [
      ['', [dot.id, note.id]],
      ['?q=menu', [note.id]],
      ['?q=%25', [note.id]],
      ['?q=_', []],
      ['?content_type=image/*', [dot.id]],
      ['?content_type=text/plain', [note.id]],
      [`?entity_type=store`, [note.id]],
      [`?entity_id=${entity_id}`, [note.id]],
      [`?entity_type=store&entity_id=${entity_id}`, [note.id]],
      ['?entity_type=painting', []],
    ]
    for (const [query, found] of cases) assert.deepEqual(await listed(query), found, query)
    assert.equal((await owner.get('/files?content_type=image')).status, 400)
  })
})
