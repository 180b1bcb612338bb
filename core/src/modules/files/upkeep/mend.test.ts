import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Backend, DAYS, FileMissing, newId } from '#kernel'
import { type S3Server, startS3Server } from '../../../kernel/storage/s3-server.fixture.ts'
import { contextOf } from '../../../testing/context.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../../testing/index.ts'
import { deleteObject } from './objects.ts'
import { sweepFiles, sweepTenant } from './sweep.ts'
import { bothStorages, insertFiles, keyOf, keysOf, text, upload, usedBytes } from './upkeep.fixture.ts'

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

const storage = (backend: Backend) => t.core.storages.of(backend)
const losses = async () => (await owner.get('/audit?action=file.lost')).body.data.length
const missing = async (tenant: string) =>
  (await t.core.db.systemQuery('select 1 from files where tenant_id = $1 and missing_at is not null', [tenant])).length

describe('a file that is lost', () => {
  test('is lost once, however many notice it at the same moment', async () => {
    const file = await upload(owner, 'precious')
    await storage('local').delete(keyOf(tenantId, file.id))
    const answers = await Promise.all(Array.from({ length: 20 }, () => owner.get(`/files/${file.id}/download`)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [404])
    assert.equal(await losses(), 1)
  })

  test('and removed by somebody in the same moment is not there, which is no failure', async () => {
    const file = await upload(owner, 'precious')
    const local = storage('local')
    const { read } = local
    local.read = (key) =>
      Readable.from(
        // biome-ignore lint/correctness/useYield: it fails before the first byte
        (async function* () {
          await t.core.db.systemQuery('delete from files where id = $1', [file.id])
          throw new FileMissing(key)
        })(),
      )
    const { status } = await owner.get(`/files/${file.id}/download`).finally(() => {
      local.read = read
    })
    assert.deepEqual([status, await losses()], [404, 0])
  })
})

describe('what refuses to be mended', () => {
  test('keeps neither the others nor the quota from being set right, and is told of', async () => {
    const keys = Array.from({ length: 3 }, () => keyOf(tenantId, newId())).sort()
    for (const key of keys) await storage('local').write(key, text('left'))
    await upload(owner, 'kept')
    await t.core.db.systemQuery('update limit_usage set used = used + 99 where tenant_id = $1', [tenantId])
    t.clock.advance(8 * DAYS)
    const local = storage('local')
    const { delete: remove } = local
    local.delete = (key) => (key === keys[0] ? Promise.reject(new Error('EPERM')) : remove.call(local, key))
    const found = await sweepTenant(contextOf(t.core, tenantId), { mends: true }).finally(() => {
      local.delete = remove
    })
    has(found, { orphans: 3, failed: 1, drift: 99 })
    assert.equal(await usedBytes(owner), 4)
    const left = await keysOf(t, 'local', `files/${tenantId}`)
    assert.deepEqual([left.length, left.includes(String(keys[0]))], [2, true])
    assert.match(t.logs.join(''), /EPERM.*could not be mended/)
  })

  test('is not all that a core which closes goes on with', async () => {
    for (let i = 0; i < 3; i++) await storage('local').write(keyOf(tenantId, newId()), text('left'))
    t.clock.advance(8 * DAYS)
    const stopping = new AbortController()
    const local = storage('local')
    const { delete: remove } = local
    local.delete = async () => {
      stopping.abort(new Error('closing'))
      throw new Error('EPERM')
    }
    const sweeping = sweepTenant(contextOf(t.core, tenantId), { mends: true, stopping: stopping.signal })
    await assert.rejects(sweeping, /^Error: closing$/).finally(() => {
      local.delete = remove
    })
  })
})

describe('more than a worker mends by itself', () => {
  test('is counted as it was found while it is mended, and not said to be untouched', async () => {
    const ids = Array.from({ length: 25 }, newId)
    await insertFiles(t, tenantId, ids, 'a note')
    for (const id of ids) await storage('s3').write(keyOf(tenantId, id), text('a note'))
    const ctx = contextOf(t.core, tenantId)
    const { missing, elsewhere, lost, doubtful } = await sweepTenant(ctx, { mends: true, trusts: true })
    assert.deepEqual({ missing, elsewhere, lost, doubtful }, { missing: 25, elsewhere: 25, lost: [], doubtful: [] })
    assert.doesNotMatch(t.logs.join(''), /nothing of it was touched/)
    has(await sweepTenant(ctx, { mends: false }), { missing: 0, elsewhere: 0 })
  })

  test('is so also where each tenant has little: no disk, or another database, makes files of all of them missing', async () => {
    const tenants = await Promise.all(Array.from({ length: 3 }, () => t.foundTenant()))
    for (const { id } of tenants) {
      await insertFiles(t, id, Array.from({ length: 10 }, newId), 'a note')
      for (let i = 0; i < 10; i++) await storage('s3').write(keyOf(id, newId()), text('of another database'))
    }
    t.clock.advance(8 * DAYS)
    await t.runSchedule(sweepFiles)
    for (const { id } of tenants) {
      assert.equal(await missing(id), 0)
      assert.equal((await keysOf(t, 's3', `files/${id}`)).length, 10)
    }
    const lines = t.logs.map((each) => JSON.parse(each)).filter(({ doubtful }) => doubtful)
    has(lines, Array(3).fill({ level: 50, doubtful: ['missing files', 'objects without a file'] }))
  })
})

describe('the pieces of an upload', () => {
  test('are removed sixteen at a time, all of them, in a job that has the time for 10,000', async () => {
    const id = newId()
    const pieces = Array.from({ length: 41 }, (_, piece) => `uploads/${tenantId}/${id}/${piece}`)
    for (const key of [...pieces, keyOf(tenantId, id)]) await storage('local').write(key, text('part'))
    const local = storage('local')
    const { delete: remove } = local
    let [now, most] = [0, 0]
    local.delete = async (key) => {
      most = Math.max(most, ++now)
      await remove.call(local, key)
      now--
    }
    await t.core.run((ctx) => ctx.enqueue(deleteObject, { backend: 'local', path: keyOf(tenantId, id), pieces: 40 }), {
      tenantId,
    })
    await t.drainJobs(tenantId).finally(() => {
      local.delete = remove
    })
    assert.deepEqual([most, await keysOf(t, 'local', `uploads/${tenantId}`)], [16, []])
    assert.ok(!(await keysOf(t, 'local')).includes(keyOf(tenantId, id)))
    const [requests, secondsEach] = [10_200 / 16, 1.5]
    assert.ok(deleteObject.leaseMs >= requests * secondsEach * 1000)
  })
})
