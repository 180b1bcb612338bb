import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Closed, defineModule, defineRoute, newId } from '#kernel'
import { claim } from '../../kernel/access/sign-in.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { assignRole, unassignRole } from '../roles/index.ts'
import { addPersonId, type Company, foundCompany, narrowedSignIn, testRights } from '../roles/roles.fixture.ts'
import { authz } from './index.ts'

const inspected = [...authModules, testRights]
const permissions = inspected.flatMap((module) => Object.entries(module.permissions))
const codes = permissions.map(([code]) => code)
/** What can be held in single stores. */
const ofStores = permissions.flatMap(([code, spec]) =>
  typeof spec === 'object' && spec.scope === 'store' ? [code] : [],
)

const probe = (path: `/${string}`, permission: string, store?: 'header') =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'Needs one permission and does nothing',
    access: { permission, store },
    response: { 200: Closed({}) },
    handler: () => ({}),
  })

/** For every permission a route that needs it for the tenant, and where it can be held there one that needs it in the store of the header. */
const probes = defineModule({
  name: 'probes',
  dependsOn: inspected,
  routes: [
    ...codes.map((code) => probe(`/probe/tenant/${code}`, code)),
    ...ofStores.map((code) => probe(`/probe/store/${code}`, code, 'header')),
  ],
})

let core: TestCore
let acme: Company
let harbour: string
before(async () => {
  core = await createTestCore({
    modules: [...inspected, authz, probes, narrowedSignIn],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
  acme = await foundCompany(core)
  harbour = await acme.addStore('Harbour')
})
after(() => core.close())

type Held = [role: string, storeId: string | null]

/** A member who holds these, by role id or a system role's name. */
async function addMember(held: Held[]): Promise<TestPerson> {
  const person = await acme.member()
  const { userId } = person
  await acme.run(async (ctx) => {
    for (const [role, storeId] of held)
      await assignRole(ctx, { userId, roleId: acme.roleIds[role] ?? role, storeId }, { preauthorized: true })
  })
  return person
}

const ask = (who: TestPerson, body: Record<string, unknown>) => who.post('/authz/explain', body)
const answer = async (who: TestPerson, body: Record<string, unknown>) => {
  const { status, body: explanation } = await ask(who, body)
  assert.equal(status, 200, JSON.stringify(explanation))
  return explanation
}

describe('the explanation agrees with what a request meets', () => {
  const people: Record<string, () => Promise<Held[]> | Held[]> = {
    nothing: () => [],
    owner: () => [['owner', null]],
    admin: () => [['admin', null]],
    manager: () => [['manager', null]],
    staff: () => [['staff', null]],
    viewer: () => [['viewer', null]],
    'manager of a store': () => [['manager', acme.mainStoreId]],
    'staff of a store': () => [['staff', acme.mainStoreId]],
    'viewer of a store': () => [['viewer', acme.mainStoreId]],
    'viewer, and manager of a store': () => [
      ['viewer', null],
      ['manager', acme.mainStoreId],
    ],
    'staff of one store, manager of another': () => [
      ['staff', acme.mainStoreId],
      ['manager', harbour],
    ],
    'a role of the tenant’s own': async () => [[await acme.addRole(['vault.open', 'store.view', 'role.assign']), null]],
    'a store role of the tenant’s own': async () => [
      [await acme.addRole(['safe.open', 'role.view'], 'store'), harbour],
    ],
  }

  for (const [name, held] of Object.entries(people))
    test(`for ${name}: every permission, in the tenant and in each store`, async () => {
      const person = await addMember(await held())
      let allowed = 0
      for (const permission of codes) {
        const inStores: boolean[] = []
        for (const store_id of [acme.mainStoreId, harbour]) {
          const mine = await answer(person, { permission, store_id })
          const scope = ofStores.includes(permission) ? 'store' : 'tenant'
          const met = await person.request('GET', `/probe/${scope}/${permission}`, {
            headers: { 'x-store-id': store_id },
          })
          assert.equal(mine.allowed, met.status === 200, `${permission} in a store: ${mine.reason}, ${met.status}`)
          inStores.push(mine.allowed)
        }
        const mine = await answer(person, { permission })
        const met = await person.request('GET', `/probe/tenant/${permission}`)
        assert.equal(mine.allowed, met.status === 200, `${permission}: ${mine.reason}, ${met.status}`)
        const expected = mine.allowed ? 'granted' : inStores.includes(true) ? 'store_only' : 'no_role'
        assert.equal(mine.reason, expected)
        assert.deepEqual(await answer(acme.owner, { permission, user_id: person.userId }), mine)
        allowed += Number(mine.allowed) + Number(inStores[0]) + Number(inStores[1])
      }
      assert.equal(allowed === 0, name === 'nothing')
      assert.equal(allowed === codes.length * 3, name === 'owner')
    })
})

describe('an explanation', () => {
  test('names the roles that give it, and what is missing where none does', async () => {
    const person = await addMember([
      ['viewer', null],
      ['staff', acme.mainStoreId],
      ['manager', harbour],
    ])
    const viewer = { role_id: acme.roleIds.viewer, role: 'viewer', store_id: null }
    const staff = { role_id: acme.roleIds.staff, role: 'staff', store_id: acme.mainStoreId }
    const manager = { role_id: acme.roleIds.manager, role: 'manager', store_id: harbour }
    assert.deepEqual(await answer(person, { permission: 'store.view', store_id: acme.mainStoreId }), {
      allowed: true,
      reason: 'granted',
      via: [viewer, staff],
    })
    assert.deepEqual(await answer(person, { permission: 'till.open', store_id: null }), {
      allowed: false,
      reason: 'store_only',
      via: [staff, manager],
      missing: { permission: 'till.open' },
    })
    assert.deepEqual(await answer(person, { permission: 'vault.open' }), {
      allowed: false,
      reason: 'no_role',
      via: [],
      missing: { permission: 'vault.open' },
    })
  })

  test('follows a change at once', async () => {
    const role = await acme.addRole(['vault.open'])
    const person = await addMember([[role, null]])
    const question = { permission: 'vault.open' }
    assert.equal((await answer(person, question)).allowed, true)
    await acme.owner.request('PUT', `/roles/${role}`, { body: { permissions: [] } })
    assert.equal((await answer(person, question)).allowed, false)
  })

  test('about somebody else needs role.view for the whole tenant', async () => {
    const person = await addMember([['staff', null]])
    const question = { permission: 'store.view', user_id: person.userId }
    for (const role of ['admin', 'viewer'])
      assert.equal((await ask(await addMember([[role, null]]), question)).status, 200)
    for (const held of [
      ['staff', null],
      ['manager', acme.mainStoreId],
    ] as Held[]) {
      const { status, body } = await ask(await addMember([held]), question)
      assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', 'role.view'])
    }
    assert.equal((await ask(person, question)).status, 200, 'oneself by id')
  })

  test('says nothing of people elsewhere: unknown, of another tenant and invited are all no members', async () => {
    const other = await foundCompany(core, 'Other')
    const body = { email: `${newId()}@example.com`, name: 'Invited', roles: [{ role_id: acme.roleIds.admin }] }
    assert.equal((await acme.owner.request('POST', '/users/invite', { body })).status, 201)
    const { body: list } = await acme.owner.request('GET', '/users?status=invited')
    for (const user_id of [newId(), other.owner.userId, await addPersonId(core), list.data[0].id])
      assert.deepEqual(await answer(acme.owner, { permission: 'store.view', user_id }), {
        allowed: false,
        reason: 'not_member',
        via: [],
      })
  })

  test('knows members and people who are disabled', async () => {
    const [member, person] = [await addMember([['admin', null]]), await addMember([['admin', null]])]
    await acme.owner.request('PUT', `/users/${member.userId}`, { body: { status: 'disabled' } })
    await core.core.db.systemQuery("update users set status = 'disabled' where id = $1", [person.userId])
    for (const { userId: user_id } of [member, person])
      assert.equal((await answer(acme.owner, { permission: 'store.view', user_id })).reason, 'member_disabled')
  })

  test('of a store that is not the tenant’s is 404; whose rights end at their stores learns nothing of others', async () => {
    const other = await foundCompany(core, 'Other')
    for (const store_id of [other.mainStoreId, newId()]) {
      const { status, body } = await ask(acme.owner, { permission: 'store.view', store_id })
      assert.deepEqual([status, body.code], [404, 'not_found'])
    }
    const staff = await addMember([['staff', acme.mainStoreId]])
    const answers = await Promise.all(
      [harbour, other.mainStoreId, newId()].map((store_id) => answer(staff, { permission: 'store.view', store_id })),
    )
    for (const each of answers) assert.deepEqual(each, answers[0])
    assert.equal(answers[0].reason, 'no_role')
  })

  test('takes ids in capitals', async () => {
    const staff = await addMember([['staff', acme.mainStoreId]])
    const question = {
      permission: 'till.open',
      store_id: acme.mainStoreId.toUpperCase(),
      user_id: staff.userId.toUpperCase(),
    }
    assert.equal((await answer(staff, question)).allowed, true)
  })

  test('of a credential that carries less than its person holds says so', async () => {
    const token = claim({ userId: acme.owner.userId, tenantId: acme.id, scopes: ['store.view'] })
    const explain = async (permission: string) =>
      (await core.request('POST', '/api/v1/authz/explain', { token, body: { permission } })).body
    assert.equal((await explain('store.view')).reason, 'granted')
    const { allowed, reason, missing } = await explain('vault.open')
    assert.deepEqual([allowed, reason, missing], [false, 'not_in_scopes', { permission: 'vault.open' }])
  })

  test('of a suspended tenant says that before anything else', async () => {
    const closed = await foundCompany(core, 'Closed')
    await core.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [closed.id])
    // A session would be refused before that.
    const token = claim({ userId: closed.owner.userId, tenantId: closed.id })
    const { body } = await core.request('POST', '/api/v1/authz/explain', { token, body: { permission: 'store.view' } })
    assert.deepEqual(body, { allowed: false, reason: 'tenant_suspended', via: [] })
  })

  test('needs a person, a tenant, a known permission and nothing else', async () => {
    assert.equal(
      (await core.request('POST', '/api/v1/authz/explain', { body: { permission: 'store.view' } })).status,
      401,
    )
    const nowhere = await ask(await core.addPerson(), { permission: 'store.view' })
    assert.deepEqual([nowhere.status, nowhere.body.code], [403, 'tenant_required'])
    for (const permission of ['store.fly', '__proto__']) {
      const { status, body } = await ask(acme.owner, { permission })
      assert.deepEqual([status, body.errors[0].pointer], [400, '#/permission'])
    }
    const { status, body } = await ask(acme.owner, { store_id: 'x', user_id: 1, role: 'owner' })
    assert.equal(status, 400)
    assert.deepEqual(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '#/permission',
      '#/role',
      '#/store_id',
      '#/user_id',
    ])
  })

  test('an answer about somebody else is repeated only to who may still ask', async () => {
    const asker = await addMember([['admin', null]])
    const other = await addMember([['viewer', null]])
    const headers = { 'idempotency-key': newId() }
    const body = { permission: 'store.view', user_id: other.userId }
    const again = () => asker.request('POST', '/authz/explain', { body, headers })
    assert.equal((await again()).status, 200)
    assert.equal((await again()).headers['idempotent-replayed'], 'true')
    await acme.run((ctx) =>
      unassignRole(ctx, { userId: asker.userId, roleId: acme.roleIds.admin ?? '', storeId: null }),
    )
    const refused = await again()
    assert.deepEqual([refused.status, refused.body.permission], [403, 'role.view'])
  })
})
