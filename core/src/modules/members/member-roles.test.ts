import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Method, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import type { SystemRoleKey } from '../roles/index.ts'
import { recorded, roleId } from './members.fixture.ts'

let test: TestCore
let acme: TestTenant
let globex: TestTenant
let store: string
let otherStore: string
let foreignStore: string

before(async () => {
  test = await createAuthCore()
  acme = await test.foundTenant()
  globex = await test.foundTenant({ name: 'Globex' })
  store = await openStore('ONE', acme)
  otherStore = await openStore('TWO', acme)
  foreignStore = await openStore('ONE', globex)
})
after(() => test.close())

const call = (
  method: Method,
  url: `/${string}`,
  { who = acme.owner, body }: { who?: TestPerson; body?: unknown } = {},
) => who.request(method, url, { body })
const role = (key: SystemRoleKey, tenant = acme) => roleId(tenant, key)

async function openStore(code: string, { owner }: TestTenant): Promise<string> {
  return (await owner.post('/stores', { name: code, code })).body.id
}

describe('POST and DELETE /users/:id/roles', () => {
  it('give and take a role, with effect on the next request', async () => {
    const who = await acme.member()
    const { userId } = who
    assert.equal((await call('GET', '/users', { who })).status, 403)
    const since = newId()
    const admin = await role('admin')
    const given = await call('POST', `/users/${userId}/roles`, { body: { role_id: admin } })
    assert.equal(given.status, 201)
    assert.deepEqual(given.body, { role_id: admin, name: 'admin', store_id: null })
    assert.equal(given.headers.location, `/api/v1/users/${userId}/roles`)
    assert.deepEqual((await call('GET', `/users/${userId}/roles`)).body, { data: [given.body] })
    assert.equal((await call('GET', '/users', { who })).status, 200)
    assert.equal((await call('POST', `/users/${userId}/roles`, { body: { role_id: admin } })).status, 201)

    assert.equal((await call('DELETE', `/users/${userId}/roles/${admin}?store_id=${store}`)).status, 404)
    assert.equal((await call('DELETE', `/users/${userId}/roles/${admin}`)).status, 204)
    assert.equal((await call('GET', '/users', { who })).status, 403)
    assert.equal((await call('DELETE', `/users/${userId}/roles/${admin}`)).status, 404)
    assert.deepEqual(await recorded(acme, since), ['role.assigned', 'role.unassigned'])
  })

  it('know neither roles nor stores of other tenants', async () => {
    const { userId } = await acme.member()
    const staff = await role('staff')
    const foreign = await role('staff', globex)
    for (const body of [{ role_id: foreign }, { role_id: newId() }, { role_id: staff, store_id: foreignStore }]) {
      assert.equal((await call('POST', `/users/${userId}/roles`, { body })).status, 404, JSON.stringify(body))
    }
    assert.equal((await call('DELETE', `/users/${userId}/roles/${foreign}`)).status, 404)
  })

  it('give a role that is made for stores for a store alone, and take it however it was given', async () => {
    const { userId } = await acme.member()
    const made = await call('POST', '/roles', { body: { name: 'Night shift', scope: 'store', permissions: [] } })
    const role_id = made.body.id
    const pointers = (errors: { pointer: string }[]) => errors.map(({ pointer }) => pointer)
    const bare = await call('POST', `/users/${userId}/roles`, { body: { role_id } })
    assert.deepEqual([bare.status, pointers(bare.body.errors)], [400, ['#/store_id']])
    const invited = await call('POST', '/users/invite', { body: { email: 'night@acme.example', roles: [{ role_id }] } })
    assert.deepEqual([invited.status, pointers(invited.body.errors)], [400, ['#/roles/0/store_id']])
    assert.equal((await call('POST', `/users/${userId}/roles`, { body: { role_id, store_id: store } })).status, 201)
    // The built-in ones are for both.
    assert.equal((await call('POST', `/users/${userId}/roles`, { body: { role_id: await role('staff') } })).status, 201)
    // One that somebody holds from a time when this was not asked.
    const values = [acme.id, newId(), userId, role_id, test.clock.now()]
    await test.core.db.systemQuery(
      `insert into role_assignments (tenant_id, id, user_id, role_id, store_id, created_at, updated_at)
       values ($1, $2, $3, $4, null, $5, $5)`,
      values,
    )
    assert.equal((await call('DELETE', `/users/${userId}/roles/${role_id}`)).status, 204)
  })

  it('let nobody give what they do not hold, and only an owner make or unmake an owner', async () => {
    const admin = await acme.member({ role: 'admin' })
    const { userId } = await acme.member()
    const owner = await role('owner')
    assert.equal((await call('POST', `/users/${userId}/roles`, { who: admin, body: { role_id: owner } })).status, 403)
    assert.equal(
      (await call('POST', `/users/${admin.userId}/roles`, { who: admin, body: { role_id: owner } })).status,
      403,
    )
    assert.equal((await call('DELETE', `/users/${acme.owner.userId}/roles/${owner}`, { who: admin })).status, 403)
    const last = await call('DELETE', `/users/${acme.owner.userId}/roles/${owner}`)
    assert.equal(last.body.code, 'last_owner')
    assert.equal((await call('POST', `/users/${userId}/roles`, { body: { role_id: owner } })).status, 201)
    assert.equal((await call('GET', `/users/${userId}`)).body.is_owner, true)
    assert.equal((await call('DELETE', `/users/${userId}/roles/${owner}`)).status, 204)
  })

  it('keep a store’s manager to that store', async () => {
    const manager = await acme.member({ role: 'manager', store })
    const { userId } = await acme.member({ role: 'viewer', store })
    const staff = await role('staff')
    const give = (body: object) => call('POST', `/users/${userId}/roles`, { who: manager, body })
    assert.equal((await give({ role_id: staff, store_id: store })).status, 201)
    const refused = [{ store_id: otherStore }, { store_id: foreignStore }, { store_id: newId() }, {}]
    for (const place of refused)
      assert.equal((await give({ role_id: staff, ...place })).status, 403, JSON.stringify(place))
    await call('POST', `/users/${userId}/roles`, { body: { role_id: staff, store_id: otherStore } })
    const take = (id: string) => call('DELETE', `/users/${userId}/roles/${staff}?store_id=${id}`, { who: manager })
    assert.equal((await take(otherStore)).status, 403)
    assert.equal((await take(store)).status, 204)
  })
})

describe('/stores/:id/users', () => {
  it('lists, adds and removes the people of a store', async () => {
    const manager = await acme.member({ role: 'manager', store })
    const { userId } = await acme.member({ role: 'viewer', store })
    const [staff, viewer] = [await role('staff'), await role('viewer')]
    const url = `/stores/${store}/users` as const
    const added = await call('POST', url, { who: manager, body: { user_id: userId, role_id: staff } })
    assert.equal(added.status, 201, JSON.stringify(added.body))
    assert.equal(added.headers.location, `/api/v1${url}`)
    assert.deepEqual(added.body.roles, [
      { role_id: viewer, name: 'viewer', store_id: store },
      { role_id: staff, name: 'staff', store_id: store },
    ])
    const list = await call('GET', url, { who: manager })
    const ids = list.body.data.map(({ id }: { id: string }) => id)
    assert.ok(ids.includes(userId) && ids.includes(manager.userId) && !ids.includes(acme.owner.userId))

    assert.equal((await call('DELETE', `${url}?user_id=${userId}`, { who: manager })).status, 204)
    assert.equal((await call('DELETE', `${url}?user_id=${userId}`, { who: manager })).status, 404)
    assert.equal((await call('DELETE', url, { who: manager })).status, 400)
    assert.deepEqual((await call('GET', `/users/${userId}/roles`)).body.data, [])
  })

  it('takes nobody whom a manager does not see: they are not found, like ids that never were', async () => {
    const manager = await acme.member({ role: 'manager', store })
    const elsewhere = await acme.member({ role: 'staff', store: otherStore })
    const unseen = [elsewhere.userId, acme.owner.userId, (await acme.member()).userId, newId()]
    const role_id = await role('staff')
    for (const user_id of unseen) {
      const added = await call('POST', `/stores/${store}/users`, { who: manager, body: { user_id, role_id } })
      assert.deepEqual([added.status, added.body.code], [404, 'not_found'])
      const body = { role_id, store_id: store }
      assert.equal((await call('POST', `/users/${user_id}/roles`, { who: manager, body })).status, 404)
    }
    assert.equal((await call('GET', `/stores/${store}/users`)).text.includes(elsewhere.userId), false)
  })

  it('is not found for stores of others, or out of the caller’s reach', async () => {
    const manager = await acme.member({ role: 'manager', store })
    const staff = await acme.member({ role: 'staff', store })
    const body = { user_id: manager.userId, role_id: await role('staff') }
    const reach = [
      [acme.owner, foreignStore],
      [acme.owner, newId()],
      [manager, otherStore],
      [manager, foreignStore],
    ] as const // pairs, not a list of both
    for (const [who, id] of reach) {
      const url = `/stores/${id}/users` as const
      assert.equal((await call('GET', url, { who })).status, 404)
      assert.equal((await call('POST', url, { who, body })).status, 404)
      assert.equal((await call('DELETE', `${url}?user_id=${manager.userId}`, { who })).status, 404)
    }
    assert.equal((await call('GET', `/stores/${store}/users`, { who: staff })).status, 403)
    const foreigner = { ...body, user_id: globex.owner.userId }
    assert.equal((await call('POST', `/stores/${store}/users`, { body: foreigner })).status, 404)
  })
})
