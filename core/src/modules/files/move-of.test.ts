import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { defineFiles, defineModule, MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { moveFilesOf } from './index.ts'
import { insertFiles, upload } from './upkeep/upkeep.fixture.ts'

/** Where each thing is. */
const stores = new Map<string, string>()
const permission = { description: 'Things', scope: 'store', roles: ['admin'] } as const // words, as a module wants them
const things = defineModule({
  name: 'things',
  permissions: { 'thing.view': permission, 'thing.update': permission },
  files: [
    defineFiles('thing', {
      view: 'thing.view',
      change: 'thing.update',
      find: async (_ctx, id) => {
        const storeId = stores.get(id)
        return storeId === undefined ? null : { storeId }
      },
    }),
  ],
})

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
let [one, other, thing] = ['', '', '']
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, things] })
})
after(() => t?.close())
beforeEach(async () => {
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
  one = (await owner.post('/stores', { name: 'One' })).body.id
  other = (await owner.post('/stores', { name: 'Other' })).body.id
  thing = newId()
  stores.set(thing, one)
})

const move = async (storeId: string) => {
  stores.set(thing, storeId)
  await t.core.run((ctx) => moveFilesOf(ctx, 'thing', thing, storeId), { tenantId: tenant.id })
}
const ofThing = () => ({ entity_type: 'thing', entity_id: thing })
const staffOf = (store: string) => tenant.member({ permissions: ['file.view', 'thing.view'], store })
const listed = async (who: TestPerson): Promise<string[]> =>
  (await who.get('/files?limit=100')).body.data.map(({ id }: { id: string }) => id)
const storesOf = async () => {
  const sql = 'select store_id, count(*)::int as n from files where tenant_id = $1 group by store_id'
  const rows = await t.core.db.systemQuery<{ store_id: string; n: number }>(sql, [tenant.id])
  return Object.fromEntries(rows.map(({ store_id, n }) => [store_id, n]))
}
const recorded = async () => {
  const sql = "select count(*)::int as n from audit_logs where tenant_id = $1 and action = 'file.updated'"
  return (await t.core.db.systemQuery<{ n: number }>(sql, [tenant.id]))[0]?.n
}

describe('files of a thing that changes its store', () => {
  test('are in the lists of the store where it is, and stay when the one before is deleted', async () => {
    const [{ id }, trashed] = [await upload(owner, 'plan', ofThing()), await upload(owner, 'old plan', ofThing())]
    await owner.delete(`/files/${trashed.id}`)
    const [before, after] = [await staffOf(one), await staffOf(other)]
    assert.deepEqual([await listed(before), await listed(after)], [[id], []])
    await move(other)
    assert.deepEqual([await listed(before), await listed(after)], [[], [id]])
    assert.deepEqual(await storesOf(), { [other]: 2 }, 'those in the trash too')
    assert.equal((await owner.delete(`/stores/${one}`)).status, 204)
    await t.drainJobs(tenant.id)
    const { body } = await owner.get(`/files/${id}`)
    assert.deepEqual([body.trashed_at, body.store_id], [null, other])
    const [record] = (await owner.get(`/audit?action=file.updated&resource_id=${id}`)).body.data
    assert.deepEqual([record.old_values.store_id, record.new_values.store_id, record.store_id], [one, other, other])
  })

  test('go at once however many they are, and each is recorded once', async () => {
    const ids = Array.from({ length: 450 }, () => crypto.randomUUID())
    await insertFiles(t, tenant.id, ids, 'a scan')
    const place = "update files set entity_type = 'thing', entity_id = $2, store_id = $3 where tenant_id = $1"
    await t.core.db.systemQuery(place, [tenant.id, thing, one])
    await move(other)
    assert.deepEqual(await storesOf(), { [other]: 450 })
    await owner.delete(`/stores/${one}`)
    await t.drainJobs(tenant.id)
    t.clock.advance(11 * MINUTES)
    await t.drainJobs(tenant.id)
    assert.equal(await recorded(), 450)
  })

  test('go also when their upload was under way, or ends just behind it, wherever the thing has gone since', async () => {
    const size = 4
    const begun = await owner.post('/files/uploads', {
      filename: 'late.txt',
      content_type: 'text/plain',
      size,
      ...ofThing(),
    })
    assert.equal(begun.status, 201, begun.text)
    await move(other)
    const uploads = 'select store_id from file_uploads where tenant_id = $1'
    assert.deepEqual(await t.core.db.systemQuery(uploads, [tenant.id]), [{ store_id: other }])
    const { id } = await upload(owner, 'later', ofThing())
    await t.core.db.systemQuery('update files set store_id = $2 where id = $1', [id, one])
    const third = (await owner.post('/stores', { name: 'Third' })).body.id
    stores.set(thing, third)
    t.clock.advance(11 * MINUTES)
    await t.drainJobs(tenant.id)
    assert.deepEqual(await storesOf(), { [third]: 1 })
  })

  test('are those of this thing alone, in this tenant alone', async () => {
    const stranger = await t.foundTenant()
    const another = newId()
    stores.set(another, one)
    const { id: kept } = await upload(owner, 'of another', { entity_type: 'thing', entity_id: another })
    const { id: theirs } = await upload(stranger.owner)
    const place = "update files set entity_type = 'thing', entity_id = $2 where id = $1"
    await t.core.db.systemQuery(place, [theirs, thing])
    await move(other)
    const stored = await t.core.db.systemQuery<{ store_id: string | null }>(
      'select store_id from files where id = any($1) order by store_id nulls last',
      [[kept, theirs]],
    )
    assert.deepEqual(
      stored.map(({ store_id }) => store_id),
      [one, null],
    )
  })
})
