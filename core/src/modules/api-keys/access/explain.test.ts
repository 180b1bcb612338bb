import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { asKey, makeKey } from '../api-keys.fixture.ts'

let t: TestCore
let tenant: TestTenant
let [mine, other] = ['', '']
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  const open = async () => (await tenant.owner.post('/stores', { name: `Store ${newId()}` })).body.id
  ;[mine, other] = [await open(), await open()]
})
after(() => t.close())

describe('a key is told', () => {
  const ask = async (key: string, question: object) =>
    (await asKey(t, key, 'POST', '/authz/explain', { body: question })).body

  test('what it may do, and why not: of itself, in its stores', async () => {
    const scopes = ['store.view', 'role.view']
    const { id, key } = await makeKey(tenant.owner, { scopes })
    has(await ask(key, { permission: 'store.view' }), { allowed: true, reason: 'granted', via: [{ role_id: id }] })
    has(await ask(key, { permission: 'store.update' }), {
      allowed: false,
      reason: 'not_in_scopes',
      missing: { permission: 'store.update' },
    })
    const inOne = await makeKey(tenant.owner, { store_ids: [mine] })
    has(await ask(inOne.key, { permission: 'store.view' }), { allowed: false, reason: 'store_only' })
    has(await ask(inOne.key, { permission: 'store.view', store_id: mine }), { allowed: true })
    has(await ask(inOne.key, { permission: 'store.view', store_id: other }), { allowed: false, reason: 'no_role' })
  })

  test('that its maker has lost something', async () => {
    const person = await tenant.member({ permissions: ['api_key.create', 'store.view'] })
    const { key } = await makeKey(person)
    const [role] = (await tenant.owner.get(`/users/${person.userId}/roles`)).body.data
    await tenant.owner.put(`/roles/${role.role_id}`, { permissions: ['api_key.create'] })
    has(await ask(key, { permission: 'store.view' }), { allowed: false, reason: 'no_role' })
  })

  test('of people what its scopes let it ask', async () => {
    const question = { permission: 'store.view', user_id: tenant.owner.userId }
    const [may, mayNot] = [await makeKey(tenant.owner, { scopes: ['role.view'] }), await makeKey(tenant.owner)]
    has(await ask(may.key, question), { allowed: true, via: [{ role: 'owner' }] })
    has(await ask(mayNot.key, question), { code: 'scope_denied', permission: 'role.view' })
  })

  test('all of it at once, with the same answers', async () => {
    const { key } = await makeKey(tenant.owner, { scopes: ['store.view', 'store.update'], store_ids: [mine] })
    const read = async (query: string) => (await asKey(t, key, 'GET', `/authz/me${query}`)).body
    assert.deepEqual((await read('')).permissions, [])
    assert.deepEqual((await read(`?store_id=${mine}`)).permissions, ['store.update', 'store.view'])
    assert.deepEqual((await read(`?store_id=${other}`)).permissions, [])
  })
})
