import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Backend, DAYS, fromNow, HOURS, newId, uuidOf } from '#kernel'
import { createContext, noOrigin, systemActor } from '../../../kernel/create-context.ts'
import { type S3Server, startS3Server } from '../../../kernel/storage/s3-server.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { openUpload } from '../uploads/reservation.ts'
import { sweepFiles, sweepTenant } from './sweep.ts'
import { bothStorages, keyOf, keysOf, text, upload, usedBytes } from './upkeep.fixture.ts'

let server: S3Server
let t: TestCore
let tenantId: string
let owner: TestPerson
before(async () => {
  server = await startS3Server()
  t = await createTestCore({ env: bothStorages(server, 'local') })
})
after(async () => {
  await t?.close()
  await server?.close()
})
beforeEach(async () => {
  ;({ id: tenantId, owner } = await t.foundTenant())
  t.logs.length = 0
})

const seedOf = (tenant: string) => ({ tenant, storeId: null, actor: systemActor, origin: noOrigin })
/** As if it had been made by the core's clock. */
const idNow = () => uuidOf(t.clock.ms(), randomBytes(16))
const storage = (backend: Backend) => t.core.storages.of(backend)
const sweep = async () => {
  t.logs.length = 0
  await t.runSchedule(sweepFiles)
  await t.drainJobs(tenantId)
}
const get = async (id: string) => (await owner.get(`/files/${id}`)).body
const download = async (id: string) => (await owner.get(`/files/${id}/download`)).text
const missingAt = async (id: string) =>
  (await t.core.db.systemQuery<{ missing_at: string | null }>('select missing_at from files where id = $1', [id]))[0]
    ?.missing_at
const losses = async () =>
  (await owner.get('/audit?action=file.lost')).body.data.map(({ resource_id }: { resource_id: string }) => resource_id)
const line = () =>
  t.logs.map((each) => JSON.parse(each)).find((each) => each.tenant_id === tenantId && 'orphans' in each)

describe('objects that belong to nothing', () => {
  for (const backend of ['local', 's3'] as const)
    test(`are removed from ${backend} once they are a week old, pieces of uploads a day,`, async () => {
      const file = await upload(owner, 'kept')
      const [object, piece] = [keyOf(tenantId, idNow()), `uploads/${tenantId}/${idNow()}/0`]
      for (const key of [object, piece]) await storage(backend).write(key, text('left behind'))
      await sweep()
      assert.ok((await keysOf(t, backend)).includes(object), 'it may be about to get its row')
      t.clock.advance(25 * HOURS)
      await sweep()
      const keys = await keysOf(t, backend)
      assert.deepEqual(
        [object, piece].filter((key) => keys.includes(key)),
        [object],
        'the database may be from a backup',
      )
      has(line(), { orphans: 0, held: 1, pieces: 1, orphanBytes: 22 })
      t.clock.advance(6 * DAYS)
      await sweep()
      assert.ok(!(await keysOf(t, backend)).includes(object))
      has(line(), { orphans: 1, held: 0, pieces: 0, orphanBytes: 11 })
      assert.equal(await download(file.id), 'kept')
      await sweep()
      assert.equal(line(), undefined, 'there is nothing to be said any more')
    })

  test('are those of writers that came late, when their upload was a file', async () => {
    const file = await upload(owner, 'kept')
    const late = [`${keyOf(tenantId, file.id)}-7`, `uploads/${tenantId}/${file.id}/0`]
    for (const key of late) await storage('local').write(key, text('left behind'))
    t.clock.advance(8 * DAYS)
    await sweep()
    const keys = await keysOf(t, 'local')
    assert.deepEqual(
      late.filter((key) => keys.includes(key)),
      [],
    )
    assert.equal(await download(file.id), 'kept')
  })

  test('are none while an upload is under way, however old it is', async () => {
    const id = newId()
    await t.core.db.systemQuery(
      `insert into file_uploads (tenant_id, id, kind, begun_by, filename, original_filename, reserved, storage_backend, storage_path, expires_at, created_at, updated_at)
       values ($1, $2, 'tus', 'user:', 'a.txt', 'a.txt', 4, 'local', $3, $4::timestamptz + interval '9 days', $4, $4)`,
      [tenantId, id, keyOf(tenantId, id), t.clock.now()],
    )
    const keys = [keyOf(tenantId, id), `${keyOf(tenantId, id)}-3`, `uploads/${tenantId}/${id}/0`]
    for (const key of keys) await storage('local').write(key, text('part'))
    t.clock.advance(2 * DAYS)
    await sweep()
    const left = await keysOf(t, 'local')
    assert.deepEqual(
      keys.filter((key) => !left.includes(key)),
      [],
    )
  })

  test('under names that nothing here makes stay, and are told of', async () => {
    const keys = [`files/${tenantId}/readme.txt`, keyOf(tenantId, '0b4a1b0e-9d5c-4b57-a6f5-0a2c4be0d2a1')]
    for (const key of keys) await storage('local').write(key, text('of somebody else'))
    t.clock.advance(2 * DAYS)
    await sweep()
    const left = await keysOf(t, 'local')
    assert.deepEqual(
      keys.filter((key) => !left.includes(key)),
      [],
    )
    has(line(), { unknown: 2, orphans: 0 })
  })

  test('stay when they are most of what there is: that is a database from a backup, or the wrong one', async () => {
    const keys = Array.from({ length: 30 }, () => keyOf(tenantId, idNow()))
    for (const key of keys) await storage('local').write(key, text('newer than the backup'))
    t.clock.advance(2 * DAYS)
    await sweep()
    has(line(), { level: 50, orphans: 0, held: 30, doubtful: ['objects without a file'] })
    t.clock.advance(6 * DAYS)
    await sweep()
    assert.deepEqual((await keysOf(t, 'local', `files/${tenantId}`)).sort(), keys.sort())
    has(line(), { level: 50, orphans: 30, doubtful: ['objects without a file'] })
    // They would make all of this core doubtful.
    for (const key of keys) await storage('local').delete(key)
  })
})

describe('a file that its storage is without', () => {
  test('is noted once, told of, and found again', async () => {
    const [file, kept] = [await upload(owner, 'precious'), await upload(owner)]
    await storage('local').delete(keyOf(tenantId, file.id))
    for (let night = 0; night < 2; night++) await sweep()
    assert.ok(await missingAt(file.id))
    assert.equal(await missingAt(kept.id), null)
    assert.deepEqual(await losses(), [file.id])
    has(line(), { level: 50, missing: 1, elsewhere: 0 })
    await storage('local').write(keyOf(tenantId, file.id), text('precious'))
    await sweep()
    assert.equal(await missingAt(file.id), null)
    assert.equal(await download(file.id), 'precious')
  })

  test('with something of another size in its place is missing', async () => {
    const file = await upload(owner, 'precious')
    await storage('local').write(keyOf(tenantId, file.id), text('precious, or not'))
    await sweep()
    assert.ok(await missingAt(file.id))
    assert.deepEqual(await losses(), [file.id])
  })

  test('is found in the other storage by size and checksum', async () => {
    const [moved, fake] = [await upload(owner, 'precious'), await upload(owner, 'precious')]
    for (const [{ id }, content] of [
      [moved, 'precious'],
      [fake, 'priceless'.slice(0, 8)],
    ] as const) {
      await storage('s3').write(keyOf(tenantId, id), text(content))
      await storage('local').delete(keyOf(tenantId, id))
    }
    await sweep()
    has(line(), { missing: 2, elsewhere: 1 })
    has(await get(moved.id), { storage_backend: 's3' })
    assert.equal(await download(moved.id), 'precious')
    assert.equal(await missingAt(moved.id), null)
    has(await get(fake.id), { storage_backend: 'local' })
    assert.ok(await missingAt(fake.id))
  })

  test('is not taken for missing by a disk that is not mounted', async () => {
    const files = []
    for (let i = 0; i < 25; i++) files.push(await upload(owner))
    for (const { id } of files) await storage('local').delete(keyOf(tenantId, id))
    await sweep()
    assert.deepEqual(await losses(), [])
    has(line(), { level: 50, missing: 25, doubtful: ['missing files'] })
    await t.core.db.systemQuery('delete from files where tenant_id = $1', [tenantId])
  })

  for (const [what, answers] of Object.entries({ 'does not answer': 503, 'forgets the list': 404 }))
    test(`is not taken for missing while a storage ${what}, nor is anything removed`, async () => {
      const file = await upload(owner)
      await t.core.db.systemQuery("update files set storage_backend = 's3' where id = $1", [file.id])
      await storage('local').delete(keyOf(tenantId, file.id))
      const orphan = keyOf(tenantId, newId())
      await storage('local').write(orphan, text('left behind'))
      t.clock.advance(8 * DAYS)
      server.intercept((request, response) => {
        if (!request.url?.includes('list-type')) return false
        response.writeHead(answers).end()
        return true
      })
      try {
        await sweep()
      } finally {
        server.intercept(null)
      }
      assert.equal(await missingAt(file.id), null)
      assert.ok((await keysOf(t, 'local')).includes(orphan))
      assert.match(t.logs.join(''), /the work of a sweep on one tenant failed/)
      await sweep()
      assert.ok(await missingAt(file.id))
      assert.ok(!(await keysOf(t, 'local')).includes(orphan))
    })
})

describe('a second copy of a file', () => {
  test('goes once the row has said for a day that the file is elsewhere, which has it', async () => {
    const file = await upload(owner, 'precious')
    await storage('s3').write(keyOf(tenantId, file.id), text('precious'))
    await sweep()
    assert.deepEqual(await keysOf(t, 's3', `files/${tenantId}`), [keyOf(tenantId, file.id)], 'it may be moved just now')
    t.clock.advance(25 * HOURS)
    await sweep()
    has(line(), { copies: 1, missing: 0 })
    assert.deepEqual(await keysOf(t, 's3', `files/${tenantId}`), [])
    assert.equal(await download(file.id), 'precious')
  })

  test('becomes the file where the other storage has lost it', async () => {
    const file = await upload(owner, 'precious')
    await storage('s3').write(keyOf(tenantId, file.id), text('precious'))
    await storage('local').delete(keyOf(tenantId, file.id))
    t.clock.advance(25 * HOURS)
    await sweep()
    has(await get(file.id), { storage_backend: 's3' })
    assert.equal(await download(file.id), 'precious')
  })
})

describe('the quota', () => {
  test('that was counted wrong is right after the night', async () => {
    const file = await upload(owner, 'ten bytes!')
    for (const wrong of [3, 1_000_000]) {
      await t.core.db.systemQuery(
        "update limit_usage set used = $2 where tenant_id = $1 and limit_name = 'storage_bytes'",
        [tenantId, wrong],
      )
      assert.equal(await usedBytes(owner), wrong)
      await sweep()
      assert.equal(await usedBytes(owner), 10)
      has(line(), { drift: wrong - 10 })
    }
    await owner.delete(`/files/${file.id}`)
    await owner.delete('/files/trash')
    assert.equal(await usedBytes(owner), 0)
  })

  test('is counted with what is taken at the same moment', async () => {
    const { size } = await upload(owner)
    const { promise: gate, resolve: commit } = Promise.withResolvers<void>()
    const { promise: taken, resolve: take } = Promise.withResolvers<void>()
    const names = { filename: 'a.txt', original_filename: 'a.txt', content_type: 'text/plain', size: 100 }
    const nothing = { entity_type: null, entity_id: null, store_id: null, is_public: false }
    const taking = t.core.run(
      async (ctx) => {
        const expiresAt = fromNow(t.clock, HOURS)
        await openUpload(ctx, { kind: 'form', ...names, ...nothing, reserved: 100, expiresAt })
        take()
        await gate
      },
      { tenantId },
    )
    await taken
    const counting = sweepTenant(createContext(t.core, seedOf(tenantId)), { mends: true })
    // Other files of tests have databases of their own.
    const waiting =
      'select 1 from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()'
    await until('it waits for the upload', async () => (await t.core.db.systemQuery(waiting)).length > 0)
    commit()
    await Promise.all([taking, counting])
    assert.equal(await usedBytes(owner), size + 100)
  })

  test('is exact when it is counted anew while twenty uploads arrive and some files go', async () => {
    const early = []
    for (let i = 0; i < 5; i++) early.push(await upload(owner, 'x'.repeat(100)))
    let isOver = false
    const uploads = Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const file = await upload(owner, 'y'.repeat(1_000 + i))
        if (i % 4 > 0) return
        await owner.delete(`/files/${file.id}`)
        await owner.delete('/files/trash')
      }),
    ).finally(() => {
      isOver = true
    })
    let nights = 0
    for (; !isOver || nights === 0; nights++)
      await sweepTenant(createContext(t.core, seedOf(tenantId)), { mends: true })
    await uploads
    const rows = await t.core.db.systemQuery<{ bytes: number }>(
      'select sum(size)::int as bytes from files where tenant_id = $1',
      [tenantId],
    )
    assert.equal(await usedBytes(owner), rows[0]?.bytes)
  })
})
