import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, MINUTES } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { trashFilesOf } from './index.ts'
import { purgeTrash } from './trash.ts'
import { insertFiles, keysOf, upload, usedBytes } from './upkeep/upkeep.fixture.ts'

let t: TestCore
let tenantId: string
let owner: TestPerson
before(async () => {
  t = await createTestCore()
})
after(() => t?.close())
beforeEach(async () => {
  ;({ id: tenantId, owner } = await t.foundTenant({ plan: 'business' }))
})

const openStore = async (name: string): Promise<string> => (await owner.post('/stores', { name })).body.id
const ofStore = (id: string) => ({ entity_type: 'store', entity_id: id })
const trashed = async (): Promise<string[]> =>
  (await owner.get('/files?trashed=true&limit=100')).body.data.map(({ id }: { id: string }) => id)
const counts = async () => {
  const sql = `select count(*) filter (where trashed_at is null)::int as kept, count(trashed_at)::int as trashed from files where tenant_id = $1`
  return (await t.core.db.systemQuery(sql, [tenantId]))[0]
}
const records = async () => {
  const sql = "select count(*)::int as n from audit_logs where tenant_id = $1 and action = 'file.trashed'"
  return (await t.core.db.systemQuery<{ n: number }>(sql, [tenantId]))[0]?.n
}

describe('files of a thing that is deleted', () => {
  test('go into the trash with their store, and 30 days later their quota is free', async () => {
    const [store, other] = [await openStore('Corner'), await openStore('Market')]
    const gone = await upload(owner, 'of the store', ofStore(store))
    const kept = await upload(owner, 'of the other', ofStore(other))
    const file = { name: 'note.txt', content: 'in the store', type: 'text/plain' }
    const within = await owner.request('POST', '/files', { form: { file }, headers: { 'x-store-id': store } })
    assert.equal(within.body.store_id, store)
    assert.equal((await owner.delete(`/stores/${store}`)).status, 204)
    assert.deepEqual((await trashed()).sort(), [gone.id, within.body.id].sort())
    assert.equal((await owner.get(`/files/${kept.id}/download`)).text, 'of the other')
    const { body } = await owner.get('/audit?action=file.trashed')
    assert.deepEqual(
      body.data.map(({ actor }: { actor: { id: string } }) => actor.id),
      [owner.userId, owner.userId],
    )
    t.clock.advance(31 * DAYS)
    await t.runSchedule(purgeTrash)
    await t.drainJobs(tenantId)
    assert.equal(await usedBytes(owner), kept.size)
    assert.equal((await keysOf(t, 'local', `files/${tenantId}`)).length, 1)
  })

  test('stay with a store that stays', async () => {
    const [main] = (await owner.get('/stores')).body.data
    const file = await upload(owner, 'of the store', ofStore(main.id))
    assert.equal((await owner.delete(`/stores/${main.id}`)).status, 409)
    assert.equal((await owner.get(`/files/${file.id}`)).body.trashed_at, null)
  })

  test('go however many they are, each with its event', async () => {
    const store = await openStore('Archive')
    const ids = Array.from({ length: 450 }, () => crypto.randomUUID())
    await insertFiles(t, tenantId, ids, 'a scan')
    await t.core.db.systemQuery(
      "update files set entity_type = 'store', entity_id = $2, store_id = $2 where tenant_id = $1",
      [tenantId, store],
    )
    const elsewhere = await upload(owner)
    assert.equal((await owner.delete(`/stores/${store}`)).status, 204)
    await t.drainJobs(tenantId)
    assert.deepEqual(await counts(), { kept: 1, trashed: 450 })
    assert.equal((await owner.get(`/files/${elsewhere.id}`)).body.trashed_at, null)
    assert.equal(await records(), 450)
  })

  test('go also when their upload ends just behind the deletion', async () => {
    const store = await openStore('Kiosk')
    await owner.delete(`/stores/${store}`)
    await insertFiles(t, tenantId, [crypto.randomUUID()], 'late')
    await t.core.db.systemQuery(
      "update files set entity_type = 'store', entity_id = $2, store_id = $2 where tenant_id = $1",
      [tenantId, store],
    )
    t.clock.advance(11 * MINUTES)
    await t.drainJobs(tenantId)
    assert.deepEqual(await counts(), { kept: 0, trashed: 1 })
  })

  test('are those of this thing alone, for whichever module asks, and of no other tenant', async () => {
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()]
    const stranger = await t.foundTenant()
    const place = 'update files set entity_type = $3, entity_id = $2 where id = $1'
    const put = async (person: TestPerson, type: string, id: string) => {
      const file = await upload(person)
      await t.core.db.systemQuery(place, [file.id, id, type])
      return file.id as string // of a file that was just made
    }
    const gone = await put(owner, 'article', one)
    await put(owner, 'article', other)
    await put(owner, 'table', one)
    await put(stranger.owner, 'article', one)
    await t.core.run((ctx) => trashFilesOf(ctx, 'article', one), { tenantId })
    const rows = await t.core.db.systemQuery<{ id: string }>(
      'select id from files where trashed_at is not null and id = any($1)',
      [
        (
          await t.core.db.systemQuery<{ id: string }>("select id from files where entity_type in ('article', 'table')")
        ).map(({ id }) => id),
      ],
    )
    assert.deepEqual(rows, [{ id: gone }])
  })
})
