import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

const addressOf = ({ text }: Tenant) => `${text().replaceAll(' ', '-')}@example.com`

/** The roles of those who are added here are held for single stores. */
const aStoreRole = async ({ id }: Tenant) => ({ role_id: await id('/roles'), store_id: await id('/stores') })

/** A role that nobody holds yet. */
const anotherRole = async ({ send, text }: Tenant): Promise<string> =>
  (await send('POST', '/roles', { name: text(), scope: 'store', permissions: ['store.view'] })).id

async function addMember(tenant: Tenant): Promise<void> {
  const { password, text } = tenant
  const roles = [await aStoreRole(tenant)]
  await tenant.send('POST', '/users', { email: addressOf(tenant), name: text(), password, roles })
}

const includes = (list: { id: string }[], id: string) => assert.ok(list.some((each) => each.id === id))

const cases: Cases = {
  ids: { user_id: '/users' },
  makers: { '/users/invitations': 'POST /users/invite' },
  routes: {
    'GET /users': {
      given: async ({ id }) => {
        await id('/users')
        return {}
      },
      see: async ({ body }, _sent, { id, send, email }) => {
        includes(body.data, await id('/users'))
        const owners = await send('GET', `/users?status=active&q=${email}`)
        has(owners, { data: [{ is_owner: true, email }], next_cursor: null })
      },
    },
    'GET /users/:id': {
      see: async ({ body }, { params }, tenant) => {
        has(body, { ...params, status: 'active', roles: [await aStoreRole(tenant)] })
        assert.ok(body.name.includes(tenant.marker))
      },
    },
    'PUT /users/:id': {
      given: () => ({ body: { job_title: 'Baker', status: 'disabled' } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...sent.body }),
    },
    'DELETE /users/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1/users/${params.id}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
    'POST /users/invite': {
      given: async (tenant) => ({
        body: { email: addressOf(tenant), name: tenant.text(), roles: [await aStoreRole(tenant)] },
      }),
      see: async ({ body }, sent, { send }) => {
        has(body, { email: sent.body.email, name: sent.body.name })
        assert.ok(body.expires_at > body.created_at)
        assert.equal((await send('GET', `/users/${body.user_id}`)).status, 'invited')
      },
    },
    'GET /users/invitations': {
      given: async ({ id }) => {
        await id('/users/invitations')
        return {}
      },
      see: async ({ body }, _sent, { id }) => includes(body.data, await id('/users/invitations')),
    },
    'DELETE /users/invitations/:id': {
      see: async (_answer, { params }, { send }) => {
        const { data } = await send('GET', '/users/invitations?limit=100')
        assert.ok(!data.some(({ id }: { id: string }) => id === params.id))
      },
    },
    'POST /users/invitations/:id/resend': {
      see: ({ body }, { params }, { marker }) => {
        has(body, params)
        assert.ok(body.name.includes(marker))
      },
    },
    'GET /users/:id/roles': {
      see: async ({ body }, _sent, tenant) => {
        const [{ name, ...held }] = body.data
        assert.ok(name.includes(tenant.marker))
        assert.deepEqual(held, await aStoreRole(tenant))
      },
    },
    'POST /users/:id/roles': {
      given: async (tenant) => ({ body: { role_id: await anotherRole(tenant), store_id: await tenant.id('/stores') } }),
      see: ({ body }, sent) => has(body, sent.body),
    },
    'DELETE /users/:id/roles/:role_id': {
      given: async (tenant) => {
        const [id, { role_id, store_id }] = [await tenant.id('/users'), await aStoreRole(tenant)]
        await tenant.send('POST', `/users/${id}/roles`, { role_id, store_id })
        return { params: { id, role_id }, query: { store_id } }
      },
      see: async (_answer, { params }, { send }) =>
        assert.deepEqual(await send('GET', `/users/${params.id}/roles`), { data: [] }),
    },
    'GET /stores/:id/users': {
      given: async (tenant) => {
        await addMember(tenant)
        return {}
      },
      see: async ({ body }, _sent, tenant) =>
        has(body, { data: [{ status: 'active', roles: [await aStoreRole(tenant)] }] }),
    },
    'POST /stores/:id/users': {
      given: async (tenant) => ({ body: { user_id: await tenant.id('/users'), role_id: await anotherRole(tenant) } }),
      see: async ({ body }, sent, tenant) => {
        const { user_id, role_id } = sent.body
        assert.equal(body.id, user_id)
        const held = body.roles.filter((role: { role_id: string }) => role.role_id === role_id)
        has(held, [{ store_id: await tenant.id('/stores') }])
      },
    },
    'DELETE /stores/:id/users': {
      given: async ({ id, send }) => {
        const [store, user_id, role_id] = [await id('/stores'), await id('/users'), await id('/roles')]
        await send('POST', `/stores/${store}/users`, { user_id, role_id })
        return { params: { id: store }, query: { user_id } }
      },
      see: async (_answer, { query }, { send }) =>
        assert.deepEqual((await send('GET', `/users/${query.user_id}`)).roles, []),
    },
    'GET /users/me/tenants': {
      see: ({ body }, _sent, { tenantId }) => {
        const own = body.data.filter(({ tenant }: { tenant: { id: string } }) => tenant.id === tenantId)
        has(own, [{ is_owner: true }])
      },
    },
  },
}

export default cases
