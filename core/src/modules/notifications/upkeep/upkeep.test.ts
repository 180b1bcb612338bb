import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, firstIdAt, fromNow, HOURS, MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { createMember } from '../../members/index.ts'
import { findUser } from '../../users/index.ts'
import { makeAlarms, offerNotice } from '../delivery/gateway.fixture.ts'
import { tell } from '../delivery/tell.ts'
import { announcementNotice } from '../kinds.ts'
import { announce, badgeOf, listOf, recount, tellPeople } from '../notifications.fixture.ts'
import { dropMonths, makeMonths, removeExpired } from './schedules.ts'

let t: TestCore
let alarms: Awaited<ReturnType<typeof makeAlarms>>
let tenant: TestTenant
let owner: TestPerson
before(async () => {
  alarms = await makeAlarms()
  t = await createTestCore({ modules: [...builtinModules, alarms.module] })
})
beforeEach(async () => {
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
})
after(async () => {
  await t?.close()
  await alarms?.remove()
})

const rowsOf = async (userId: string) => {
  const sql = 'select count(*)::int as n from notifications where tenant_id = $1 and user_id = $2'
  return (await t.core.db.systemQuery<{ n: number }>(sql, [tenant.id, userId]))[0]?.n
}
const partitions = async () => {
  const sql =
    "select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'core.notifications'::regclass order by 1"
  return (await t.core.db.systemQuery<{ name: string }>(sql)).map(({ name }) => name)
}

describe('what expires', () => {
  test('is neither shown nor counted from its moment on, and removed by the clock', async () => {
    const offer = (hours: number) => ({ data: { name: newId(), until: fromNow(t.clock, hours * HOURS) } })
    await tellPeople(t, tenant.id, offerNotice, offer(1))
    await tellPeople(t, tenant.id, offerNotice, offer(3))
    const [later, sooner] = await listOf(owner)
    assert.equal(await badgeOf(owner), 2)
    t.clock.advance(1 * HOURS)
    assert.deepEqual(
      (await listOf(owner)).map(({ id }) => id),
      [later?.id],
    )
    assert.equal(await badgeOf(owner), 1)
    assert.equal((await owner.put(`/notifications/${sooner?.id}/read`, {})).status, 404)
    assert.equal(await rowsOf(owner.userId), 2)
    await t.runSchedule(removeExpired)
    assert.equal(await rowsOf(owner.userId), 1)
    assert.equal(await badgeOf(owner), 1)
    t.clock.advance(2 * HOURS)
    assert.deepEqual((await owner.put('/notifications/read-all', {})).body, { updated: 0 })
    await t.runSchedule(removeExpired)
    assert.deepEqual([await rowsOf(owner.userId), await badgeOf(owner)], [0, 0])
  })

  test('is told to nobody once it is too late', async () => {
    await tellPeople(t, tenant.id, offerNotice, { data: { name: 'Late', until: fromNow(t.clock, -MINUTES) } })
    assert.deepEqual(await listOf(owner), [])
  })
})

describe('old months', () => {
  test('are dropped whole, and what was never read in them is counted no longer', async () => {
    const key = firstIdAt(Date.parse('2025-03-10T12:00:00Z'))
    const superuser = t.database.superuserUrl
    assert.ok(superuser)
    await t.core.db.systemQuery("select tenantry.ensure_partitions('notifications', '2025-03-01'::date, 1)")
    await tellPeople(t, tenant.id, announcementNotice, { data: { title: 'Old', message: 'Gone.' }, key })
    await announce(t, tenant.id)
    assert.equal(await badgeOf(owner), 2)
    assert.ok((await partitions()).includes('notifications_202503'))
    await t.runSchedule(dropMonths)
    assert.ok(!(await partitions()).includes('notifications_202503'))
    assert.equal(await badgeOf(owner), 1)
    assert.equal((await listOf(owner)).length, 1)
    assert.equal(await recount(t, tenant.id, owner.userId), 1)
  })

  test('are made ahead', async () => {
    t.clock.advance(120 * DAYS)
    await t.runSchedule(makeMonths)
    const month = t.clock.now().slice(0, 7).replace('-', '')
    assert.ok((await partitions()).includes(`notifications_${month}`))
  })
})

describe('whoever leaves', () => {
  test('finds nothing of before when they come back, and it is removed', async () => {
    const clerk = await tenant.member({ role: 'staff' })
    await announce(t, tenant.id)
    assert.ok((await badgeOf(clerk)) > 0)
    assert.equal((await owner.delete(`/users/${clerk.userId}`)).status, 204)
    assert.equal((await clerk.get('/notifications')).status, 401)
    // Told in the moment in which they left, by a job that had read the members before.
    await tenant.run(async (ctx) => {
      const user = await findUser(ctx.tx, clerk.userId)
      assert.ok(user)
      const nothing = { type: null, store_id: null, actor_id: null, to: null, after: null }
      const data = { name: 'Late', until: fromNow(t.clock, HOURS) }
      const notice = { kind: offerNotice.kind, key: newId(), at: t.clock.now(), data, ...nothing }
      await tell(ctx, offerNotice as never, notice, [user])
    })
    await tenant.run(async (ctx) => {
      const user = await findUser(ctx.tx, clerk.userId)
      assert.ok(user)
      await createMember(ctx, { user, name: user.name, roles: [] })
    })
    const back = clerk.in(tenant.id)
    assert.deepEqual([await badgeOf(back), await listOf(back)], [0, []])
    const title = await announce(t, tenant.id)
    assert.deepEqual(
      (await listOf(back)).map((each) => each.title),
      [title],
    )
    assert.equal(await badgeOf(back), 1)
    assert.equal(await rowsOf(clerk.userId), 1)
  })
})
