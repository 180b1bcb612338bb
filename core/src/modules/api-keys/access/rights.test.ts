import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { DAYS, fromNow, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { userRemoved } from '../../members/index.ts'
import { asKey, makeKey, outcome } from '../api-keys.fixture.ts'
import { scopesForKeys } from './wishes.ts'

let t: TestCore
let tenant: TestTenant
let [mine, other] = ['', '']
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  ;[mine, other] = [await addStore(), await addStore()]
})
after(() => t.close())

const addStore = async (): Promise<string> => (await tenant.owner.post('/stores', { name: `Store ${newId()}` })).body.id
const addRole = async (permissions: string[], scope = 'tenant'): Promise<string> =>
  (await tenant.owner.post('/roles', { name: `Role ${newId()}`, scope, permissions })).body.id
const give = async (person: TestPerson, role_id: string, store_id: string | null = null) => {
  const { status, text } = await tenant.owner.post(`/users/${person.userId}/roles`, { role_id, store_id })
  assert.equal(status, 201, text)
}
const take = async (person: TestPerson, roleId: string, storeId: string | null = null) => {
  const path = `/users/${person.userId}/roles/${roleId}${storeId ? `?store_id=${storeId}` : ''}` as const // a path
  const { status, text } = await tenant.owner.delete(path)
  assert.equal(status, 204, text)
}
const MAKER = ['api_key.create', 'api_key.update']
/** Somebody who may make keys, and holds a role of these besides. */
const maker = async (permissions: string[]) => {
  const person = await tenant.member({ permissions: MAKER })
  const role = await addRole(permissions)
  await give(person, role)
  return { person, role }
}

describe('what a key may do shrinks with its maker, and comes back', () => {
  test('when the role loses a permission', async () => {
    const { person, role } = await maker(['store.view', 'role.view'])
    const { key } = await makeKey(person, { scopes: ['store.view', 'role.view'] })
    assert.deepEqual([await outcome(t, key), await outcome(t, key, '/roles')], ['200', '200'])
    await tenant.owner.put(`/roles/${role}`, { permissions: ['role.view'] })
    assert.deepEqual([await outcome(t, key), await outcome(t, key, '/roles')], ['403 permission_denied', '200'])
    await tenant.owner.put(`/roles/${role}`, { permissions: ['store.view', 'role.view'] })
    assert.equal(await outcome(t, key), '200')
  })

  test('when the maker loses the role', async () => {
    const { person, role } = await maker(['store.view'])
    const { key } = await makeKey(person)
    await take(person, role)
    assert.equal(await outcome(t, key), '403 permission_denied')
    await give(person, role)
    assert.equal(await outcome(t, key), '200')
  })

  test('in each of its stores by itself', async () => {
    const person = await tenant.member({ permissions: MAKER })
    const role = await addRole(['store.view', 'store.update'], 'store')
    await give(person, role, mine)
    await give(person, role, other)
    const { key } = await makeKey(person, { scopes: ['store.view', 'store.update'], store_ids: [mine, other] })
    const see = async () => [await outcome(t, key, `/stores/${mine}`), await outcome(t, key, `/stores/${other}`)]
    assert.deepEqual(await see(), ['200', '200'])
    await take(person, role, other)
    assert.deepEqual(await see(), ['200', '404 not_found'])
    const list = await asKey(t, key, 'GET', '/stores')
    assert.deepEqual(
      list.body.data.map(({ id }: { id: string }) => id),
      [mine],
    )
    assert.equal((await asKey(t, key, 'PUT', `/stores/${mine}`, { body: { phone: '1' } })).status, 200)
  })

  test('when a store of it is closed, and it is lost with the store', async () => {
    const store = await addStore()
    const { key } = await makeKey(tenant.owner, { store_ids: [store, mine] })
    const see = () => outcome(t, key, `/stores/${store}`)
    assert.equal(await see(), '200')
    await tenant.owner.put(`/stores/${store}`, { status: 'inactive' })
    assert.equal(await see(), '404 not_found')
    await tenant.owner.put(`/stores/${store}`, { status: 'active' })
    assert.equal(await see(), '200')
    await tenant.owner.delete(`/stores/${store}`)
    assert.equal(await see(), '404 not_found')
    assert.equal(await outcome(t, key, `/stores/${mine}`), '200')
  })

  test('and a key whose stores are all gone holds nothing, rather than everything', async () => {
    const store = await addStore()
    const { key } = await makeKey(tenant.owner, { store_ids: [store] })
    await tenant.owner.delete(`/stores/${store}`)
    assert.equal(await outcome(t, key), '403 permission_denied')
    assert.equal(await outcome(t, key, `/stores/${mine}`), '403 permission_denied')
  })

  test('but never grows with them', async () => {
    const { person } = await maker(['store.view'])
    const { key } = await makeKey(person)
    await give(person, await addRole(['role.view', 'store.update']))
    assert.equal(await outcome(t, key, '/roles'), '403 scope_denied')
    const inOne = await makeKey(tenant.owner, { store_ids: [mine] })
    assert.equal(await outcome(t, inOne.key, `/stores/${other}`), '404 not_found')
  })

  test('a key of an owner is none: it neither makes owners nor touches them', async () => {
    const { key } = await makeKey(tenant.owner, { name: 'owner', scopes: scopesForKeys(t.core) })
    const { body: rights } = await asKey(t, key, 'GET', '/authz/me')
    assert.deepEqual(
      rights.roles.map(({ role }: { role: string }) => role),
      ['API key'],
    )
    const roles = (await tenant.owner.get('/roles?q=owner')).body.data
    const owner = roles.find(({ name }: { name: string }) => name === 'owner').id
    const member = await tenant.member()
    const given = await asKey(t, key, 'POST', `/users/${member.userId}/roles`, { body: { role_id: owner } })
    assert.equal(given.status, 403)
    assert.equal(await outcome(t, key, `/users/${tenant.owner.userId}`, 'DELETE'), '403 permission_denied')
  })
})

describe('who changes a key and holds less than it asks for', () => {
  test('lets nobody use it from more networks or for longer, and may shut out whom they like', async () => {
    const clerk = await tenant.member({ permissions: ['api_key.update', 'store.view'] })
    const networks = ['10.0.0.0/8', '2001:db8::/32']
    const [soon, later] = [30, 60].map((days) => fromNow(t.clock, days * DAYS))
    const asks = { scopes: ['store.view', 'store.delete'], allowed_cidrs: networks, expires_at: soon }
    const { id } = await makeKey(tenant.owner, asks)
    const put = async (fields: object, who = clerk) => (await who.put(`/api-keys/${id}`, fields)).status
    const wider = [null, ['0.0.0.0/0'], ['10.0.0.0/7'], ['::/0'], [...networks, '192.0.2.1/32'], ['11.0.0.0/8']]
    for (const allowed_cidrs of wider) assert.equal(await put({ allowed_cidrs }), 403, String(allowed_cidrs))
    for (const expires_at of [null, later]) assert.equal(await put({ expires_at }), 403)
    assert.equal(await put({ name: 'Till' }), 200)
    assert.equal(await put({ allowed_cidrs: ['10.1.0.0/16', '2001:db8:1::/48'] }), 200)
    assert.equal(await put({ expires_at: fromNow(t.clock, DAYS) }), 200)
    t.clock.advance(2 * DAYS)
    assert.equal(await put({ expires_at: soon }), 403, 'nor does an expired one live again by them')
    assert.equal(await put({ allowed_cidrs: null, expires_at: null }, tenant.owner), 200)
    assert.equal(await put({ allowed_cidrs: networks, expires_at: later }), 200)
  })
})

describe('a key whose maker has left', () => {
  const leave = async (person: TestPerson) =>
    assert.equal((await tenant.owner.delete(`/users/${person.userId}`)).status, 204)

  test('goes on with what it held at that moment, and no more', async () => {
    const { person, role } = await maker(['store.view', 'role.view', 'tenant.view'])
    const { key } = await makeKey(person, { scopes: ['store.view', 'role.view'] })
    await tenant.owner.put(`/roles/${role}`, { permissions: ['store.view', 'tenant.view'] })
    await leave(person)
    assert.equal(await outcome(t, key), '200')
    assert.equal(await outcome(t, key, '/roles'), '403 permission_denied', 'lost before')
    assert.equal(await outcome(t, key, '/tenants/current'), '403 scope_denied')
    await tenant.owner.put(`/roles/${role}`, { permissions: [] })
    assert.equal(await outcome(t, key), '200', 'their role is no matter any more')
  })

  test('also in its stores, closed ones included', async () => {
    const person = await tenant.member({ permissions: MAKER })
    const role = await addRole(['store.view'], 'store')
    const closed = await addStore()
    for (const store of [mine, closed]) await give(person, role, store)
    const { key } = await makeKey(person, { store_ids: [mine, closed] })
    await tenant.owner.put(`/stores/${closed}`, { status: 'inactive' })
    await leave(person)
    assert.equal(await outcome(t, key, `/stores/${mine}`), '200')
    assert.equal(await outcome(t, key, `/stores/${closed}`), '404 not_found')
    await tenant.owner.put(`/stores/${closed}`, { status: 'active' })
    assert.equal(await outcome(t, key, `/stores/${closed}`), '200')
    assert.equal(await outcome(t, key, `/stores/${other}`), '404 not_found')
  })

  test('is not theirs again when they come back', async () => {
    const { person } = await maker(['store.view'])
    const { key } = await makeKey(person)
    await leave(person)
    await tenant.owner.post('/users', { email: person.email, name: 'Back', roles: [] })
    assert.equal(await outcome(t, key), '200')
  })

  test('gains what a person adds to it, and nothing beside that', async () => {
    const { person, role } = await maker(['store.view', 'role.view'])
    const { id, key } = await makeKey(person, { scopes: ['store.view', 'role.view'] })
    await tenant.owner.put(`/roles/${role}`, { permissions: ['store.view'] })
    await leave(person)
    const adder = await tenant.member({ permissions: ['api_key.update', 'user.view'] })
    const wider = await adder.put(`/api-keys/${id}`, { scopes: ['store.view', 'role.view', 'user.view'] })
    assert.equal(wider.status, 200, wider.text)
    assert.deepEqual(
      [await outcome(t, key), await outcome(t, key, '/users'), await outcome(t, key, '/roles')],
      ['200', '200', '403 permission_denied'],
    )
    assert.equal((await tenant.owner.put(`/api-keys/${id}`, { scopes: ['user.view'] })).status, 200)
    assert.deepEqual([await outcome(t, key), await outcome(t, key, '/users')], ['403 scope_denied', '200'])
  })

  test('is as it was when their leaving fails', async () => {
    const { owner, id } = await t.foundTenant({ plan: 'business' })
    const { key, id: keyId } = await makeKey(owner)
    assert.equal((await owner.delete(`/users/${owner.userId}`)).status, 409)
    const rows = await t.core.run(
      ({ tx }) =>
        tx.selectFrom('api_keys').select('frozen_rights').where('tenant_id', '=', id).where('id', '=', keyId).execute(),
      { tenantId: id },
    )
    assert.deepEqual(rows, [{ frozen_rights: null }])
    assert.equal(await outcome(t, key), '200')
  })

  test('is frozen in the transaction of the leaving', () => {
    const inner = t.core.registry.innerListenersOf(userRemoved.name)
    assert.ok(inner.some(({ name }) => name === 'api_keys.freeze_rights'))
  })

  test('goes on with their rights while they are only disabled', async () => {
    const { person } = await maker(['store.view'])
    const { key } = await makeKey(person)
    await tenant.owner.put(`/users/${person.userId}`, { status: 'disabled' })
    assert.equal(await outcome(t, key), '200')
  })

  test('has no gap, nor anything left, when made while they leave', async () => {
    for (let round = 0; round < 10; round++) {
      const { person } = await maker(['store.view'])
      await person.token()
      const [made] = await Promise.all([
        person.post('/api-keys', { name: 'Late', scopes: ['store.view'] }),
        leave(person),
      ])
      if (made.status === 201) assert.equal(await outcome(t, made.body.key), '200')
      else assert.ok([401, 403].includes(made.status), made.text)
    }
  })
})

const CODES = ['store.view', 'store.update', 'role.view', 'user.view']
const READ: Record<string, (store: string | null) => string> = {
  'store.view': (store) => (store ? `/stores/${store}` : '/stores'),
  'role.view': () => '/roles',
  'user.view': (store) => (store ? `/stores/${store}/users` : '/users'),
}

test('a key may do what is in its scopes and among the rights of its maker in that place, and nothing else', async () => {
  const some = fc.subarray(CODES)
  const world = fc.record({
    scopes: fc.subarray(CODES, { minLength: 1 }),
    tenantWide: some,
    inMine: some,
    inOther: some,
    stores: fc.constantFrom(null, 'mine', 'both'),
    leaves: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(world, async ({ scopes, tenantWide, inMine, inOther, stores, leaves }) => {
      // Made by somebody who holds everything, then cut down to what was drawn.
      const person = await tenant.member({ permissions: [...MAKER, ...CODES] })
      const full = (await tenant.owner.get(`/users/${person.userId}/roles`)).body.data[0].role_id
      const store_ids = stores === null ? null : stores === 'mine' ? [mine] : [mine, other]
      const { key } = await makeKey(person, { scopes, store_ids })
      for (const [codes, scope, store] of [
        [tenantWide, 'tenant', null],
        [inMine, 'store', mine],
        [inOther, 'store', other],
      ] as const)
        if (codes.length > 0) await give(person, await addRole([...codes], scope), store)
      await take(person, full)
      if (leaves) await tenant.owner.delete(`/users/${person.userId}`)
      const held = (code: string, store: string | null) =>
        tenantWide.includes(code) ||
        (store === mine && inMine.includes(code)) ||
        (store === other && inOther.includes(code))
      for (const store of [mine, other]) {
        for (const [code, path] of Object.entries(READ)) {
          if (code === 'role.view') continue
          const isIn = store_ids === null || store_ids.includes(store)
          const expected = scopes.includes(code) && isIn && held(code, store_ids === null ? null : store)
          const { status, text } = await asKey(t, key, 'GET', path(store))
          assert.equal(status === 200, expected, `${code} in ${store === mine ? 'mine' : 'other'}: ${text}`)
        }
        const isWritten = scopes.includes('store.update') && (store_ids?.includes(store) ?? true)
        const written = await asKey(t, key, 'PUT', `/stores/${store}`, { body: { phone: '1' } })
        assert.equal(written.status === 200, isWritten && held('store.update', store_ids === null ? null : store))
      }
    }),
    { numRuns: 25 },
  )
})
