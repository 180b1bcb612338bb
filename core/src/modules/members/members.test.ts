import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { createMembersCore, found, join, recorded, roleId, tokenFor } from './members.fixture.ts'

let test: TestCore
let acme: Awaited<ReturnType<typeof found>>
let globex: Awaited<ReturnType<typeof found>>

before(async () => {
  test = await createMembersCore()
  acme = await found(test.core)
  globex = await found(test.core, 'Globex')
})
after(() => test.close())

const get = (url: string, token = acme.token) => test.request('GET', `/api/v1${url}`, { token })
const put = (url: string, body: unknown, token = acme.token) => test.request('PUT', `/api/v1${url}`, { token, body })
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

const remove = (url: string, token = acme.token) => test.request('DELETE', `/api/v1${url}`, { token })

async function openStore(code: string, token = acme.token): Promise<string> {
  const { status, body } = await test.request('POST', '/api/v1/stores', { token, body: { name: code, code } })
  assert.equal(status, 201, JSON.stringify(body))
  return body.id
}

describe('the founder', () => {
  it('is an active member and the owner', async () => {
    const { status, body } = await get(`/users/${acme.userId}`)
    assert.equal(status, 200)
    assert.equal(body.email, acme.email)
    assert.equal(body.status, 'active')
    assert.equal(body.is_owner, true)
    assert.deepEqual(body.roles, [
      { role_id: await roleId(test.core, acme.tenantId, 'owner'), name: 'owner', store_id: null },
    ])
    assert.equal(body.last_login_at, null)
  })
})

describe('GET /users', () => {
  it('shows this tenant alone, newest first, page by page', async () => {
    const mine = await found(test.core, 'Pages')
    const added = []
    for (let i = 0; i < 5; i++) added.unshift((await join(test.core, mine.tenantId, 'staff')).userId)
    const first = await get('/users?limit=4', mine.token)
    assert.equal(first.status, 200)
    const second = await get(`/users?limit=4&cursor=${first.body.next_cursor}`, mine.token)
    const ids = [...first.body.data, ...second.body.data].map(({ id }) => id)
    assert.deepEqual(ids, [...added, mine.userId])
    assert.equal(second.body.next_cursor, null)
  })

  it('filters by text, status, role and store', async () => {
    const mine = await found(test.core, 'Filters')
    const store = await openStore('F1', mine.token)
    const cashier = await join(test.core, mine.tenantId, 'staff', { storeId: store, name: 'Carla 100% Cash' })
    const viewer = await join(test.core, mine.tenantId, 'viewer', { name: 'Vera View' })
    await put(`/users/${viewer.userId}`, { job_title: 'Auditor', status: 'disabled' }, mine.token)
    const ids = async (query: string) => {
      const { status, body } = await get(`/users?${query}`, mine.token)
      assert.equal(status, 200, JSON.stringify(body))
      return body.data.map(({ id }: { id: string }) => id)
    }
    assert.deepEqual(await ids('q=carla'), [cashier.userId])
    assert.deepEqual(await ids('q=%25'), [cashier.userId], 'a percent sign is text, not a pattern')
    assert.deepEqual(await ids('q=audit'), [viewer.userId])
    assert.deepEqual(await ids(`q=${viewer.email}`), [viewer.userId])
    assert.deepEqual(await ids('status=disabled'), [viewer.userId])
    assert.deepEqual(await ids(`role_id=${await roleId(test.core, mine.tenantId, 'staff')}`), [cashier.userId])
    assert.deepEqual(await ids(`store_id=${store}`), [cashier.userId])
    assert.deepEqual(await ids(`store_id=${newId()}`), [])
    assert.equal((await get('/users?status=gone', mine.token)).status, 400)
    assert.equal((await get('/users?unknown=1', mine.token)).status, 400)
  })

  it('asks for a credential and the permission', async () => {
    const staff = await join(test.core, acme.tenantId, 'staff')
    assert.equal((await test.request('GET', '/api/v1/users')).status, 401)
    const { status, body } = await get('/users', staff.token)
    assert.equal(status, 403)
    assert.equal(body.permission, 'user.view')
  })
})

describe('who sees people only in some stores', () => {
  it('sees those with a role there, and of their roles none in other stores', async () => {
    const [own, other] = [await openStore('OWN'), await openStore('OTHER')]
    const manager = await join(test.core, acme.tenantId, 'manager', { storeId: own })
    const colleague = await join(test.core, acme.tenantId, 'staff', { storeId: own })
    const stranger = await join(test.core, acme.tenantId, 'staff', { storeId: other })
    const staff = await roleId(test.core, acme.tenantId, 'staff')
    const given = { role_id: staff, store_id: other }
    const both = await test.request('POST', `/api/v1/users/${colleague.userId}/roles`, {
      token: acme.token,
      body: given,
    })
    assert.equal(both.status, 201)

    const list = await get('/users', manager.token)
    assert.deepEqual(
      list.body.data.map(({ id }: { id: string }) => id),
      [colleague.userId, manager.userId],
    )
    const hidden = [list.text, (await get(`/users/${colleague.userId}`, manager.token)).text]
    for (const text of hidden) assert.ok(!text.includes(other), 'the other store shows')
    assert.equal((await get(`/users/${stranger.userId}`, manager.token)).status, 404)
    assert.equal((await get(`/users/${acme.userId}/roles`, manager.token)).status, 404)
    assert.deepEqual((await get(`/users?store_id=${other}`, manager.token)).body.data, [])
    assert.equal((await put(`/users/${colleague.userId}`, { name: 'X' }, manager.token)).status, 403)
  })
})

describe('PUT /users/:id', () => {
  it('changes the membership, records it once, and does nothing when nothing differs', async () => {
    const { userId } = await join(test.core, acme.tenantId, 'staff')
    const since = newId()
    const body = { name: 'New Name', phone: '+49 30 1', job_title: 'Lead' }
    const changed = await put(`/users/${userId}`, body)
    assert.equal(changed.status, 200)
    const { name, phone, job_title } = changed.body
    assert.deepEqual({ name, phone, job_title }, body)
    assert.deepEqual((await put(`/users/${userId}`, body)).body, changed.body)
    assert.equal((await put(`/users/${userId}`, { phone: null })).body.phone, null)
    assert.deepEqual(await recorded(test.core, acme.tenantId, since), ['member.updated', 'member.updated'])
  })

  it('refuses what belongs to the person', async () => {
    const { userId } = await join(test.core, acme.tenantId, 'staff')
    for (const body of [{ email: 'x@example.com' }, { password: 'x' }, { status: 'invited' }, { name: ' ' }]) {
      assert.equal((await put(`/users/${userId}`, body)).status, 400, JSON.stringify(body))
    }
  })

  it('disables from the next request on, and enables again', async () => {
    const admin = await join(test.core, acme.tenantId, 'admin')
    assert.equal((await get('/users', admin.token)).status, 200)
    assert.equal((await put(`/users/${admin.userId}`, { status: 'disabled' })).status, 200)
    assert.equal((await get('/users', admin.token)).body.code, 'session_revoked')
    assert.equal((await put(`/users/${admin.userId}`, { status: 'active' })).status, 200)
    assert.equal((await get('/users', admin.token)).status, 200)
  })

  it('lets only an owner disable an owner, and nobody the last one', async () => {
    const mine = await found(test.core, 'Owners')
    const admin = await join(test.core, mine.tenantId, 'admin')
    const off = { status: 'disabled' }
    assert.equal((await put(`/users/${mine.userId}`, off, admin.token)).status, 403)
    assert.equal((await put(`/users/${mine.userId}`, off, mine.token)).body.code, 'last_owner')
    const second = await join(test.core, mine.tenantId, 'owner')
    assert.equal((await put(`/users/${mine.userId}`, off, second.token)).status, 200)
    assert.equal((await put(`/users/${second.userId}`, off, second.token)).body.code, 'last_owner')
    const tenant = await get('/tenants/current', second.token)
    assert.equal(tenant.body.owner_id, second.userId, 'the tenant names an owner that is left')
  })
})

describe('DELETE /users/:id', () => {
  it('ends the membership, its roles and its sessions, and leaves the person', async () => {
    const admin = await join(test.core, acme.tenantId, 'admin')
    assert.equal((await get('/users', admin.token)).status, 200)
    const since = newId()
    assert.equal((await remove(`/users/${admin.userId}`)).status, 204)
    assert.deepEqual(await recorded(test.core, acme.tenantId, since), ['user.removed'])
    assert.equal((await get('/users', admin.token)).body.code, 'session_revoked')
    assert.equal((await get(`/users/${admin.userId}`)).status, 404)
    assert.equal((await remove(`/users/${admin.userId}`)).status, 404)
  })

  it('refuses the last owner, and an owner to all but owners', async () => {
    const mine = await found(test.core, 'Leaving')
    const admin = await join(test.core, mine.tenantId, 'admin')
    assert.equal((await remove(`/users/${mine.userId}`, admin.token)).status, 403)
    const { status, body } = await remove(`/users/${mine.userId}`, mine.token)
    assert.equal(status, 409)
    assert.equal(body.code, 'last_owner')
    assert.equal((await get(`/users/${mine.userId}`, mine.token)).body.is_owner, true)
  })
})

describe('somebody else’s people', () => {
  it('are not found, like ids that never were', async () => {
    for (const id of [globex.userId, newId(), 'none']) {
      const answers = await Promise.all([
        get(`/users/${id}`),
        put(`/users/${id}`, { name: 'X' }),
        remove(`/users/${id}`),
        get(`/users/${id}/roles`),
        test.request('POST', `/api/v1/users/${id}/roles`, {
          token: acme.token,
          body: { role_id: await roleId(test.core, acme.tenantId, 'staff') },
        }),
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
    const { userId, token } = await join(test.core, acme.tenantId, 'staff')
    const { body } = await test.request('POST', '/api/v1/tenants', { token, body: { name: 'Own Company' } })
    const { body: mine } = await get('/users/me/tenants', token)
    assert.deepEqual(
      mine.data.map((each: { tenant: { id: string }; is_owner: boolean }) => [each.tenant.id, each.is_owner]),
      [
        [acme.tenantId, false],
        [body.id, true],
      ],
    )
    assert.equal(mine.data[0].roles[0].name, 'staff')
    assert.equal((await remove(`/users/${userId}`)).status, 204)
    const left = await get('/users/me/tenants', tokenFor(userId, null))
    assert.deepEqual(
      left.body.data.map((each: { tenant: { id: string } }) => each.tenant.id),
      [body.id],
    )
    assert.equal((await test.request('GET', '/api/v1/users/me/tenants')).status, 401)
  })

  it('asks as few questions for a hundred tenants as for one, and names the address of the next ones', async () => {
    const { userId } = await join(test.core, acme.tenantId, 'staff')
    const token = tokenFor(userId, null)
    await addMemberships(userId, 105)
    const sent: string[] = []
    const stop = test.core.db.observe((sql) => sent.push(sql))
    const first = await get('/users/me/tenants', token)
    stop()
    assert.deepEqual([first.status, first.body.data.length, Object.keys(first.body)], [200, 100, ['data']])
    assert.ok(sent.filter((sql) => sql.startsWith('select')).length <= 10, sent.join('\n'))
    const next = /^<([^>]+)>; rel="next"$/.exec(String(first.headers.link))?.[1] ?? ''
    const second = await test.request('GET', next, { token })
    assert.equal(second.headers.link, undefined)
    const ids = [...first.body.data, ...second.body.data].map(({ tenant }) => tenant.id)
    assert.equal(new Set(ids).size, 106)
    assert.equal((await get('/users/me/tenants?cursor=x', token)).body.code, 'invalid_cursor')
  })
})
