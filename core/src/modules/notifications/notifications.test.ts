import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { announcementNotice } from './kinds.ts'
import { announce, badgeOf, listOf, recount, tellPeople } from './notifications.fixture.ts'

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
let clerk: TestPerson
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
  clerk = await tenant.member({ role: 'staff' })
  await t.drainJobs(tenant.id)
})
after(() => t.close())

describe('the list', () => {
  test('has what everybody was told, and is each person’s own', async () => {
    const title = await announce(t, tenant.id)
    const [mine] = await listOf(owner)
    const [theirs] = await listOf(clerk)
    has(mine, { kind: 'announcement', title, message: 'Read this.', type: 'info', read_at: null })
    assert.notEqual(mine?.id, theirs?.id)
    for (const id of [theirs?.id, newId()]) {
      assert.equal((await owner.put(`/notifications/${id}/read`, {})).status, 404)
      assert.equal((await owner.post(`/notifications/${id}/archive`)).status, 404)
      assert.equal((await owner.post(`/notifications/${id}/act`, { action: 'open' })).status, 404)
    }
    assert.equal((await owner.delete(`/notifications/${theirs?.id}`)).status, 404)
    assert.equal((await listOf(clerk))[0]?.read_at, null)
  })

  test('tells the same thing once, whatever is repeated', async () => {
    const key = newId()
    const data = { title: 'Once', message: 'Only.' }
    for (let times = 0; times < 3; times++) await tellPeople(t, tenant.id, announcementNotice, { data, key })
    assert.equal((await listOf(owner)).filter(({ title }) => title === 'Once').length, 1)
    assert.equal(await badgeOf(owner), await recount(t, tenant.id, owner.userId))
  })

  test('pages by place, the latest first, and filters', async () => {
    const titles = [await announce(t, tenant.id), await announce(t, tenant.id), await announce(t, tenant.id)]
    const first = (await owner.get('/notifications?limit=2')).body
    const second = (await owner.get(`/notifications?limit=1&cursor=${first.next_cursor}`)).body
    const seen = [...first.data, ...second.data].map(({ title }) => title)
    assert.deepEqual(seen, titles.toReversed())
    const [latest] = await listOf(owner)
    assert.equal((await owner.put(`/notifications/${latest?.id}/read`, {})).status, 200)
    const unread = await listOf(owner, '&unread=true')
    assert.ok(!unread.some(({ id }) => id === latest?.id))
    assert.ok((await listOf(owner, '&unread=false')).some(({ id }) => id === latest?.id))
    assert.deepEqual(await listOf(owner, '&kind=nothing.of_that'), [])
    assert.deepEqual(await listOf(owner, '&type=error'), [])
  })
})

describe('the badge', () => {
  test('follows reading, putting away, deleting and reading all', async () => {
    for (let i = 0; i < 4; i++) await announce(t, tenant.id)
    const [one, two, three] = await listOf(owner, '&unread=true')
    const before = await badgeOf(owner)
    const read = await owner.put(`/notifications/${one?.id}/read`, {})
    assert.equal(typeof read.body.read_at, 'string')
    assert.equal((await owner.put(`/notifications/${one?.id}/read`, {})).body.read_at, read.body.read_at)
    assert.equal((await owner.post(`/notifications/${two?.id}/archive`, {})).status, 200)
    assert.equal((await owner.delete(`/notifications/${three?.id}`)).status, 204)
    assert.equal(await badgeOf(owner), before - 3)
    assert.ok((await listOf(owner, '&archived=true')).some(({ id }) => id === two?.id))
    assert.ok(!(await listOf(owner)).some(({ id }) => id === two?.id))
    assert.deepEqual((await owner.put('/notifications/read-all', {})).body, { updated: before - 3 })
    assert.deepEqual((await owner.put('/notifications/read-all', {})).body, { updated: 0 })
    assert.equal(await badgeOf(owner), 0)
    assert.deepEqual(await listOf(owner, '&unread=true'), [])
    assert.ok((await listOf(owner)).every(({ read_at }) => read_at !== null))
    await t.drainJobs(tenant.id)
    assert.ok((await listOf(owner)).every(({ read_at }) => read_at !== null))
    await announce(t, tenant.id)
    assert.equal(await badgeOf(owner), 1)
    assert.equal(await recount(t, tenant.id, owner.userId), 1)
  })
})
