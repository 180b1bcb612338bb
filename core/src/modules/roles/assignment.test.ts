import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Method, newId } from '#kernel'
import { claim } from '../../kernel/access/sign-in.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { assignRole, isOwner, listAssignments, listGrants, unassignAll } from './index.ts'
import { addPersonId, type Company, foundCompany, narrowedSignIn, testRights } from './roles.fixture.ts'

let core: TestCore
let acme: Company
let harbour: string
before(async () => {
  core = await createTestCore({
    modules: [...authModules, testRights, narrowedSignIn],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
  acme = await foundCompany(core)
  harbour = await acme.addStore('Harbour')
})
after(() => core.close())

interface Wish {
  to?: string
  role: string
  store?: string | null
}

/** `by` gives a role to somebody; status, code and the permission that was missing. */
async function give(by: TestPerson, { to, role, store }: Wish) {
  const body = { user_id: to ?? (await addPersonId(core)), role_id: acme.roleIds[role] ?? role, store_id: store }
  const answer = await by.request('POST', '/test/assign', { body })
  return [answer.status, answer.body.code ?? answer.body.done, answer.body.permission].filter(
    (part) => part !== undefined,
  )
}

const ids = (...codes: string[]) => acme.addRole(codes)

describe('whoever gives a role', () => {
  test('needs role.assign there', async () => {
    const staff = await acme.addHolder('staff')
    assert.deepEqual(await give(staff, { role: 'viewer' }), [403, 'permission_denied', 'role.assign'])
  })

  test('holds every permission of it: an admin makes admins, and nobody who can more', async () => {
    const admin = await acme.addHolder('admin')
    assert.deepEqual(await give(admin, { role: 'admin' }), [200, true])
    assert.deepEqual(await give(admin, { role: await ids('store.view', 'vault.open') }), [
      403,
      'permission_denied',
      'vault.open',
    ])
    assert.deepEqual(await give(acme.owner, { role: await ids('vault.open') }), [200, true])
  })

  test('is an owner when the role is owner, even with every permission there is', async () => {
    const all: string[] = (await acme.owner.request('GET', '/permissions')).body.data.map(
      (each: { code: string }) => each.code,
    )
    const mighty = await acme.addHolder(await acme.addRole(all))
    assert.deepEqual(await give(mighty, { role: 'owner' }), [403, 'permission_denied', 'role.assign'])
    assert.deepEqual(await give(mighty, { role: 'admin' }), [200, true])
    assert.deepEqual(await give(acme.owner, { role: 'owner' }), [200, true])
  })

  test('cannot do more with a credential that is narrowed to less', async () => {
    const body = { user_id: await addPersonId(core), role_id: acme.roleIds.admin }
    const token = claim({ userId: acme.owner.userId, tenantId: acme.id, scopes: ['role.assign', 'store.view'] })
    const answer = await core.request('POST', '/api/v1/test/assign', { token, body })
    assert.equal(answer.status, 403)
  })

  test('gives within a store, out of what counts there, when that is where they are manager', async () => {
    const manager = await acme.addHolder('manager', acme.mainStoreId)
    const store = acme.mainStoreId
    assert.deepEqual(await give(manager, { role: 'staff', store }), [200, true])
    assert.deepEqual(await give(manager, { role: 'manager', store }), [200, true])
    assert.deepEqual(await give(manager, { role: 'staff' }), [403, 'permission_denied', 'role.assign'])
    assert.deepEqual(await give(manager, { role: 'staff', store: harbour }), [403, 'permission_denied', 'role.assign'])
    const safe = await acme.addRole(['safe.open'], 'store')
    assert.deepEqual(await give(manager, { role: safe, store }), [403, 'permission_denied', 'safe.open'])
  })

  test('cannot tell other stores from ones that never were, when they are manager of one', async () => {
    const manager = await acme.addHolder('manager', acme.mainStoreId)
    assert.deepEqual(
      await give(manager, { role: 'staff', store: newId() }),
      await give(manager, { role: 'staff', store: harbour }),
    )
  })
})

describe('a role', () => {
  test('of the whole tenant is not given for a store', async () => {
    const body = { user_id: await addPersonId(core), role_id: acme.roleIds.admin, store_id: harbour }
    const answer = await acme.owner.request('POST', '/test/assign', { body })
    assert.deepEqual([answer.status, answer.body.errors[0].pointer], [400, '#/store_id'])
  })

  test('of stores is given for one, or for the whole tenant', async () => {
    for (const store of [harbour, null]) assert.deepEqual(await give(acme.owner, { role: 'staff', store }), [200, true])
  })

  test('held for a store counts only there, and only its permissions for stores', async () => {
    const assignments = async (store: string | null) => {
      const holder = await acme.addHolder('manager', store)
      return Promise.all([
        holder.request('GET', `/stores/${acme.mainStoreId}`),
        holder.request('GET', `/stores/${harbour}`),
        holder.request('GET', '/tenants/current'),
      ])
    }
    assert.deepEqual(
      (await assignments(null)).map(({ status }) => status),
      [200, 200, 200],
    )
    assert.deepEqual(
      (await assignments(harbour)).map(({ status }) => status),
      [404, 200, 403],
    )
    const holder = await acme.addHolder('manager', harbour)
    const [grant] = await acme.run(({ tx }) => listGrants(tx, core.core, acme.id, holder.userId))
    assert.deepEqual([grant?.role, grant?.storeId], ['manager', harbour])
    assert.ok(grant?.permissions.includes('till.open'))
    assert.ok(!grant?.permissions.includes('tenant.view'))
  })

  test('that is unknown, another tenant’s, or for an unknown store or person is not found', async () => {
    const other = await foundCompany(core, 'Other')
    assert.deepEqual(await give(acme.owner, { role: newId() }), [404, 'not_found'])
    assert.deepEqual(await give(acme.owner, { role: other.roleIds.staff! }), [404, 'not_found'])
    assert.deepEqual(await give(acme.owner, { role: 'staff', store: other.mainStoreId }), [404, 'not_found'])
    assert.deepEqual(await give(acme.owner, { role: 'staff', to: newId() }), [404, 'not_found'])
  })

  test('given twice is held once and recorded once', async () => {
    const to = await addPersonId(core)
    assert.deepEqual(await give(acme.owner, { to, role: 'staff' }), [200, true])
    assert.deepEqual(await give(acme.owner, { to, role: 'staff' }), [200, false])
  })

  test('given 20 times at once is held once and recorded once', async () => {
    for (const store of [null, harbour]) {
      const to = await addPersonId(core)
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => give(acme.owner, { to, role: 'staff', store })),
      )
      assert.equal(answers.filter(([status]) => status === 200).length, 20)
      assert.equal(answers.filter(([, done]) => done).length, 1)
      const held = await acme.run(({ tx }) => listAssignments(tx, acme.id, [to]))
      assert.deepEqual(held, [{ user_id: to, role_id: acme.roleIds.staff, name: 'staff', store_id: store }])
      const records = await acme.run(({ tx }) =>
        tx
          .selectFrom('audit_logs')
          .selectAll()
          .where('tenant_id', '=', acme.id)
          .where('action', '=', 'role.assigned')
          .execute(),
      )
      const about = records.filter(({ new_values }) => (new_values as { user_id: string }).user_id === to) // the event's data
      assert.deepEqual(
        about.map(({ store_id, resource_label }) => [store_id, resource_label]),
        [[store, 'staff']],
      )
    }
  })

  test('given and deleted at once is either held or gone', async () => {
    for (let round = 0; round < 5; round++) {
      const [role, to] = [await ids('store.view'), await addPersonId(core)]
      const [given, deleted] = await Promise.all([
        give(acme.owner, { to, role }),
        acme.owner.request('DELETE', `/roles/${role}`),
      ])
      assert.deepEqual([given[0], deleted.status], deleted.status === 204 ? [404, 204] : [200, 409])
    }
  })
})

describe('rights follow at once', () => {
  test('when a role is given, changed and taken', async () => {
    const role = await ids('store.view')
    const person = await acme.member()
    const to = person.userId
    const sees = async () => (await person.get('/stores')).status
    const makes = async () => (await person.get('/roles')).status
    assert.equal(await sees(), 403)
    await give(acme.owner, { to, role })
    assert.deepEqual([await sees(), await makes()], [200, 403])
    await acme.owner.request('PUT', `/roles/${role}`, { body: { permissions: ['role.view'] } })
    assert.deepEqual([await sees(), await makes()], [403, 200])
    await acme.owner.request('POST', '/test/unassign', { body: { user_id: to, role_id: role } })
    assert.deepEqual([await sees(), await makes()], [403, 403])
  })

  test('when a membership ends', async () => {
    const holder = await acme.addHolder('viewer')
    assert.equal((await holder.request('GET', '/roles')).status, 200)
    await acme.run((ctx) => unassignAll(ctx, holder.userId))
    assert.equal((await holder.request('GET', '/roles')).status, 403)
  })
})

test('what a person may do is one query, however many roles they hold', async () => {
  const holder = await acme.addHolder('manager', harbour)
  for (const role of ['staff', 'viewer'])
    await acme.run((ctx) =>
      assignRole(ctx, { userId: holder.userId, roleId: acme.roleIds[role]!, storeId: null }, { preauthorized: true }),
    )
  let statements = 0
  const grants = await acme.run(async ({ tx }) => {
    const stop = core.core.db.observe(() => statements++)
    const found = await listGrants(tx, core.core, acme.id, holder.userId)
    stop()
    return found
  })
  assert.deepEqual([grants.length, statements], [3, 1])
})

describe('taking a role', () => {
  const take = async (by: TestPerson, { userId: from }: TestPerson, role: string, store?: string) => {
    const body = { user_id: from, role_id: acme.roleIds[role], store_id: store }
    return (await by.request('POST', '/test/unassign', { body })).status
  }

  test('follows the rule of giving: no admin unmakes an owner', async () => {
    const [admin, owner] = [await acme.addHolder('admin'), await acme.addHolder('owner')]
    assert.equal(await take(admin, owner, 'owner'), 403)
    assert.equal(await take(acme.owner, owner, 'owner'), 200)
  })

  test('takes what was said, in the place that was said, and 404 for what is not held', async () => {
    const person = await acme.addHolder('staff', harbour)
    assert.equal(await take(acme.owner, person, 'staff'), 404)
    assert.equal(await take(acme.owner, person, 'staff', acme.mainStoreId), 404)
    assert.equal(await take(acme.owner, person, 'staff', harbour), 200)
    assert.equal(await take(acme.owner, person, 'staff', harbour), 404)
  })
})

describe('making and changing roles', () => {
  test('takes nothing that one does not hold for the whole tenant', async () => {
    const admin = await acme.addHolder('admin')
    const attempt = (method: Method, url: `/${string}`, body: unknown) => admin.request(method, url, { body })
    const made = await attempt('POST', '/roles', { name: newId(), permissions: ['store.view', 'vault.open'] })
    assert.deepEqual([made.status, made.body.code, made.body.permission], [403, 'permission_denied', 'vault.open'])
    const role = await ids('vault.open')
    for (const change of [{ permissions: ['vault.open', 'store.view'] }, { permissions: [] }, { name: newId() }]) {
      const { status, body } = await attempt('PUT', `/roles/${role}`, change)
      assert.deepEqual([status, body.permission], [403, 'vault.open'], JSON.stringify(change))
    }
    assert.equal((await attempt('DELETE', `/roles/${role}`, undefined)).status, 403)
    const own = await ids('store.view')
    const widened = await attempt('PUT', `/roles/${own}`, { permissions: ['store.view', 'safe.open'] })
    assert.deepEqual([widened.status, widened.body.permission], [403, 'safe.open'])
    assert.equal((await attempt('PUT', `/roles/${own}`, { permissions: ['store.view', 'tenant.view'] })).status, 200)
    assert.equal((await attempt('PUT', `/roles/${own}`, { permissions: [] })).status, 200)
    assert.equal((await attempt('DELETE', `/roles/${own}`, undefined)).status, 204)
  })

  test('weakens nobody who holds more than oneself', async () => {
    const admin = await acme.addHolder('admin')
    const role = await ids('store.view', 'tenant.view')
    const change = (permissions: string[]) => admin.request('PUT', `/roles/${role}`, { body: { permissions } })
    const give = (userId: string, roleId: string) =>
      acme.run((ctx) => assignRole(ctx, { userId, roleId, storeId: null }, { preauthorized: true }))
    const holder = await acme.addHolder(role)
    assert.equal((await change(['store.view'])).status, 200)
    await give(holder.userId, await ids('vault.open'))
    const refused = await change([])
    assert.deepEqual([refused.status, refused.body.permission], [403, 'vault.open'])
    assert.equal((await change(['store.view', 'tenant.view'])).status, 200, 'to add something weakens nobody')
    await give(acme.owner.userId, role)
    assert.equal((await change(['store.view'])).status, 403)
    assert.equal((await acme.owner.request('PUT', `/roles/${role}`, { body: { permissions: [] } })).status, 200)
  })

  test('asks for a permission of the whole tenant: what is held in a store does not count', async () => {
    const role = await acme.addRole(['role.create', 'role.view'])
    const maker = await acme.addHolder(role)
    await acme.run((ctx) =>
      assignRole(ctx, { userId: maker.userId, roleId: acme.roleIds.staff!, storeId: harbour }, { preauthorized: true }),
    )
    const answer = await maker.request('POST', '/roles', { body: { name: newId(), permissions: ['till.open'] } })
    assert.deepEqual([answer.status, answer.body.permission], [403, 'till.open'])
    assert.equal(
      (await maker.request('POST', '/roles', { body: { name: newId(), permissions: ['role.view'] } })).status,
      201,
    )
  })
})

describe('a role whose giving was checked before', () => {
  test('is given without the right to, unless it or its store is gone', async () => {
    const assign = async (roleId: string, storeId: string | null) => {
      const userId = await addPersonId(core)
      return acme.run((ctx) => assignRole(ctx, { userId, roleId, storeId }, { preauthorized: true }))
    }
    assert.equal(await assign(acme.roleIds.staff!, harbour), true)
    assert.equal(await assign(newId(), null), false)
    assert.equal(await assign(acme.roleIds.staff!, newId()), false)
  })
})

test('only owner for the whole tenant makes an owner', () => {
  assert.ok(isOwner([{ role: 'owner', storeId: null }]))
  assert.ok(isOwner([{ name: 'owner', store_id: null }]))
  assert.ok(
    !isOwner([
      { name: 'owner', store_id: newId() },
      { name: 'Owner', store_id: null },
    ]),
  )
  assert.ok(!isOwner([]))
})
