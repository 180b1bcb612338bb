import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import type { TestCore, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { recorded, roleId } from './members.fixture.ts'

type Path = `/${string}`
let test: TestCore
let acme: TestTenant
let globex: TestTenant

before(async () => {
  test = await createAuthCore()
  acme = await test.foundTenant()
  globex = await test.foundTenant({ name: 'Globex' })
})
after(() => test.close())

const get = (url: Path, who = acme.owner) => who.get(url)
const put = (url: Path, body: unknown, who = acme.owner) => who.put(url, body)
/** Memberships in that many other tenants, written as they are stored: inviting and accepting them would take long. */
async function addMemberships(userId: string, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => newId())
  const values = [ids, userId, test.clock.now()]
  const { db } = test.core
  await db.systemQuery(
    "insert into tenants (id, name, slug, owner_id, created_at, updated_at) select id, 'T', 't-' || id, $2, $3, $3 from unnest($1::uuid[]) id",
    values,
  )
  await db.systemQuery(
    "insert into members (tenant_id, id, name, status, joined_at, created_at, updated_at) select id, $2, 'M', 'active', $3, $3, $3 from unnest($1::uuid[]) id",
    values,
  )
  await db.systemQuery(
    'insert into user_tenants (tenant_id, user_id, joined_at) select id, $2, $3 from unnest($1::uuid[]) id',
    values,
  )
}

const remove = (url: Path, who = acme.owner) => who.delete(url)

async function openStore(code: string, who = acme.owner): Promise<string> {
  const { status, body } = await who.post('/stores', { name: code, code })
  assert.equal(status, 201, JSON.stringify(body))
  return body.id
}

describe('the founder', () => {
  it('is an active member and the owner', async () => {
    // Who looks is somebody else: a sign-in would show.
    const { status, body } = await get(`/users/${acme.owner.userId}`, await acme.member({ role: 'admin' }))
    assert.equal(status, 200)
    assert.equal(body.email, acme.owner.email)
    assert.equal(body.status, 'active')
    assert.equal(body.is_owner, true)
    assert.deepEqual(body.roles, [{ role_id: await roleId(acme, 'owner'), name: 'owner', store_id: null }])
    assert.equal(body.last_login_at, null)
  })
})

describe('GET /users', () => {
  it('shows this tenant alone, newest first, page by page', async () => {
    const mine = await test.foundTenant({ name: 'Pages' })
    const added = []
    for (let i = 0; i < 5; i++) added.unshift((await mine.member({ role: 'staff' })).userId)
    const first = await get('/users?limit=4', mine.owner)
    assert.equal(first.status, 200)
    const second = await get(`/users?limit=4&cursor=${first.body.next_cursor}`, mine.owner)
    const ids = [...first.body.data, ...second.body.data].map(({ id }) => id)
    assert.deepEqual(ids, [...added, mine.owner.userId])
    assert.equal(second.body.next_cursor, null)
  })

  it('filters by text, status, role and store', async () => {
    const mine = await test.foundTenant({ name: 'Filters' })
    const store = await openStore('F1', mine.owner)
    const cashier = await mine.member({ role: 'staff', store, name: 'Carla 100% Cash' })
    const viewer = await mine.member({ role: 'viewer', name: 'Vera View' })
    await put(`/users/${viewer.userId}`, { job_title: 'Auditor', status: 'disabled' }, mine.owner)
    const ids = async (query: string) => {
      const { status, body } = await get(`/users?${query}`, mine.owner)
      assert.equal(status, 200, JSON.stringify(body))
      return body.data.map(({ id }: { id: string }) => id)
    }
    assert.deepEqual(await ids('q=carla'), [cashier.userId])
    assert.deepEqual(await ids('q=%25'), [cashier.userId], 'a percent sign is text, not a pattern')
    assert.deepEqual(await ids('q=audit'), [viewer.userId])
    assert.deepEqual(await ids(`q=${viewer.email}`), [viewer.userId])
    assert.deepEqual(await ids('status=disabled'), [viewer.userId])
    assert.deepEqual(await ids(`role_id=${await roleId(mine, 'staff')}`), [cashier.userId])
    assert.deepEqual(await ids(`store_id=${store}`), [cashier.userId])
    assert.deepEqual(await ids(`store_id=${newId()}`), [])
    assert.equal((await get('/users?status=gone', mine.owner)).status, 400)
    assert.equal((await get('/users?unknown=1', mine.owner)).status, 400)
  })

  it('asks for a credential and the permission', async () => {
    const staff = await acme.member({ role: 'staff' })
    assert.equal((await test.request('GET', '/api/v1/users')).status, 401)
    const { status, body } = await get('/users', staff)
    assert.equal(status, 403)
    assert.equal(body.permission, 'user.view')
  })
})

describe('who sees people only in some stores', () => {
  it('sees those with a role there, and of their roles none in other stores', async () => {
    const [own, other] = [await openStore('OWN'), await openStore('OTHER')]
    const manager = await acme.member({ role: 'manager', store: own })
    const colleague = await acme.member({ role: 'staff', store: own })
    const stranger = await acme.member({ role: 'staff', store: other })
    const staff = await roleId(acme, 'staff')
    const given = { role_id: staff, store_id: other }
    const both = await acme.owner.post(`/users/${colleague.userId}/roles`, given)
    assert.equal(both.status, 201)

    const list = await get('/users', manager)
    assert.deepEqual(
      list.body.data.map(({ id }: { id: string }) => id),
      [colleague.userId, manager.userId],
    )
    const hidden = [list.text, (await get(`/users/${colleague.userId}`, manager)).text]
    for (const text of hidden) assert.ok(!text.includes(other), 'the other store shows')
    assert.equal((await get(`/users/${stranger.userId}`, manager)).status, 404)
    assert.equal((await get(`/users/${acme.owner.userId}/roles`, manager)).status, 404)
    assert.deepEqual((await get(`/users?store_id=${other}`, manager)).body.data, [])
    assert.equal((await put(`/users/${colleague.userId}`, { name: 'X' }, manager)).status, 403)
  })
})

describe('PUT /users/:id', () => {
  it('changes the membership, records it once, and does nothing when nothing differs', async () => {
    const { userId } = await acme.member({ role: 'staff' })
    const since = newId()
    const body = { name: 'New Name', phone: '+49 30 1', job_title: 'Lead' }
    const changed = await put(`/users/${userId}`, body)
    assert.equal(changed.status, 200)
    const { name, phone, job_title } = changed.body
    assert.deepEqual({ name, phone, job_title }, body)
    assert.deepEqual((await put(`/users/${userId}`, body)).body, changed.body)
    assert.equal((await put(`/users/${userId}`, { phone: null })).body.phone, null)
    assert.deepEqual(await recorded(acme, since), ['member.updated', 'member.updated'])
  })

  it('refuses what belongs to the person', async () => {
    const { userId } = await acme.member({ role: 'staff' })
    for (const body of [{ email: 'x@example.com' }, { password: 'x' }, { status: 'invited' }, { name: ' ' }]) {
      assert.equal((await put(`/users/${userId}`, body)).status, 400, JSON.stringify(body))
    }
  })

  it('disables from the next request on, and enables again', async () => {
    const admin = await acme.member({ role: 'admin' })
    assert.equal((await get('/users', admin)).status, 200)
    assert.equal((await put(`/users/${admin.userId}`, { status: 'disabled' })).status, 200)
    assert.equal((await get('/users', admin)).body.code, 'session_revoked')
    assert.equal((await put(`/users/${admin.userId}`, { status: 'active' })).status, 200)
    assert.equal((await get('/users', admin)).status, 200)
  })

  it('lets only an owner disable an owner, and nobody the last one', async () => {
    const mine = await test.foundTenant({ name: 'Owners' })
    const admin = await mine.member({ role: 'admin' })
    const off = { status: 'disabled' }
    assert.equal((await put(`/users/${mine.owner.userId}`, off, admin)).status, 403)
    assert.equal((await put(`/users/${mine.owner.userId}`, off, mine.owner)).body.code, 'last_owner')
    const second = await mine.member({ role: 'owner' })
    assert.equal((await put(`/users/${mine.owner.userId}`, off, second)).status, 200)
    assert.equal((await put(`/users/${second.userId}`, off, second)).body.code, 'last_owner')
    const tenant = await get('/tenants/current', second)
    assert.equal(tenant.body.owner_id, second.userId, 'the tenant names an owner that is left')
  })
})

describe('DELETE /users/:id', () => {
  it('ends the membership, its roles and its sessions, and leaves the person', async () => {
    const admin = await acme.member({ role: 'admin' })
    assert.equal((await get('/users', admin)).status, 200)
    const since = newId()
    assert.equal((await remove(`/users/${admin.userId}`)).status, 204)
    assert.deepEqual(await recorded(acme, since), ['user.removed'])
    assert.equal((await get('/users', admin)).body.code, 'session_revoked')
    assert.equal((await get(`/users/${admin.userId}`)).status, 404)
    assert.equal((await remove(`/users/${admin.userId}`)).status, 404)
  })

  it('refuses the last owner, and an owner to all but owners', async () => {
    const mine = await test.foundTenant({ name: 'Leaving' })
    const admin = await mine.member({ role: 'admin' })
    assert.equal((await remove(`/users/${mine.owner.userId}`, admin)).status, 403)
    const { status, body } = await remove(`/users/${mine.owner.userId}`, mine.owner)
    assert.equal(status, 409)
    assert.equal(body.code, 'last_owner')
    assert.equal((await get(`/users/${mine.owner.userId}`, mine.owner)).body.is_owner, true)
  })
})

describe('somebody else’s people', () => {
  it('are not found, like ids that never were', async () => {
    for (const id of [globex.owner.userId, newId(), 'none']) {
      const answers = await Promise.all([
        get(`/users/${id}`),
        put(`/users/${id}`, { name: 'X' }),
        remove(`/users/${id}`),
        get(`/users/${id}/roles`),
        acme.owner.post(`/users/${id}/roles`, { role_id: await roleId(acme, 'staff') }),
      ])
      assert.deepEqual(
        answers.map(({ status }) => status),
        [404, 404, 404, 404, 404],
      )
    }
  })
})

describe('GET /users/me/tenants', () => {
  it('lists where the person is active, oldest first, and what they are there', async () => {
    const person = await acme.member({ role: 'staff' })
    const { body } = await person.post('/tenants', { name: 'Own Company' })
    const { body: mine } = await get('/users/me/tenants', person)
    assert.deepEqual(
      mine.data.map((each: { tenant: { id: string }; is_owner: boolean }) => [each.tenant.id, each.is_owner]),
      [
        [acme.id, false],
        [body.id, true],
      ],
    )
    assert.equal(mine.data[0].roles[0].name, 'staff')
    assert.equal((await remove(`/users/${person.userId}`)).status, 204)
    const left = await get('/users/me/tenants', person.in())
    assert.deepEqual(
      left.body.data.map((each: { tenant: { id: string } }) => each.tenant.id),
      [body.id],
    )
    assert.equal((await test.request('GET', '/api/v1/users/me/tenants')).status, 401)
  })

  it('asks as few questions for a hundred tenants as for one, and names the address of the next ones', async () => {
    const person = await acme.member({ role: 'staff' })
    await addMemberships(person.userId, 105)
    await get('/users/me', person)
    const sent: string[] = []
    const stop = test.core.db.observe((sql) => sent.push(sql))
    const first = await get('/users/me/tenants', person)
    stop()
    assert.deepEqual([first.status, first.body.data.length, Object.keys(first.body)], [200, 100, ['data']])
    assert.ok(sent.filter((sql) => sql.startsWith('select')).length <= 10, sent.join('\n'))
    const next = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1] ?? ''
    const second = await test.request('GET', next, { token: await person.token() })
    assert.equal(second.headers.link, undefined)
    const ids = [...first.body.data, ...second.body.data].map(({ tenant }) => tenant.id)
    assert.equal(new Set(ids).size, 106)
    assert.equal((await get('/users/me/tenants?cursor=x', person)).body.code, 'invalid_cursor')
  })
})
