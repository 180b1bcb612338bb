import assert from 'node:assert/strict'
import { PASSWORD } from '../src/modules/auth/auth.fixture.ts'
import { has, type RouteCases } from './route-case.ts'
import { addMember, anAddress, type World } from './route-world.ts'

const addPerson = async ({ test, owner }: World, roles: object[] = []): Promise<string> =>
  (await addMember(test, owner, roles)).userId

const roleId = async ({ get }: World, name: string): Promise<string> => (await get(`/roles?q=${name}`)).body.data[0].id

const invite = async ({ make }: World): Promise<string> =>
  (await make('/users/invite', { email: anAddress(), name: 'Ines' })).body.id

/** Somebody with a role in the main store. */
async function addStaff(world: World): Promise<{ user_id: string; role_id: string }> {
  const role_id = await roleId(world, 'staff')
  return { user_id: await addPerson(world, [{ role_id, store_id: world.mainStoreId }]), role_id }
}

/** Members, invitations, who holds which role, and why something is allowed. */
export const memberCases: RouteCases = {
  'GET /users': {
    given: ({ owner }) => ({ query: { q: owner.email, status: 'active' } }),
    see: (answer, _sent, { owner }) =>
      has(answer, { data: [{ id: owner.userId, is_owner: true, email: owner.email }], next_cursor: null }),
  },
  'POST /users': {
    given: () => ({ body: { email: anAddress(), name: 'Paul', password: PASSWORD, job_title: 'Cook', roles: [] } }),
    see: (answer, { body }, { owner }) => {
      const { password: _, ...shown } = Object(body)
      has(answer, { tenant_id: owner.tenantId, status: 'active', is_owner: false, ...shown })
      assert.ok(!answer.text.includes(PASSWORD))
    },
  },
  'GET /users/:id': {
    given: async (world) => ({ params: { id: await addPerson(world) } }),
    see: (answer, { params }) => has(answer, { ...params, name: 'Max Member', status: 'active', roles: [] }),
  },
  'PUT /users/:id': {
    given: async (world) => ({
      params: { id: await addPerson(world) },
      body: { job_title: 'Cook', status: 'disabled' },
    }),
    see: (answer, { params, body }) => has(answer, { ...params, ...Object(body) }),
  },
  'DELETE /users/:id': {
    given: async (world) => ({ params: { id: await addPerson(world) } }),
    see: async (_answer, { params }, { test, owner }) => {
      const gone = await test.request('GET', `/api/v1/users/${params?.id}`, { token: owner.token })
      assert.equal(gone.status, 404)
    },
  },
  'POST /users/invite': {
    given: () => ({ body: { email: anAddress(), name: 'Ines' } }),
    see: async (answer, { body }, { get }) => {
      has(answer, Object(body))
      assert.ok(answer.body.expires_at > answer.body.created_at)
      assert.equal((await get(`/users/${answer.body.user_id}`)).body.status, 'invited')
    },
  },
  'GET /users/invitations': {
    given: async (world) => {
      await invite(world)
      return { query: { limit: '1' } }
    },
    see: (answer) => {
      has(answer, { data: [{ name: 'Ines' }] })
      assert.equal(typeof answer.body.next_cursor, 'string')
    },
  },
  'DELETE /users/invitations/:id': {
    given: async (world) => ({ params: { id: await invite(world) } }),
    see: async (_answer, { params }, { get }) =>
      assert.ok(!(await get('/users/invitations?limit=100')).text.includes(String(params?.id))),
  },
  'POST /users/invitations/:id/resend': {
    given: async (world) => ({ params: { id: await invite(world) } }),
    see: (answer, { params }) => has(answer, { ...params, name: 'Ines' }),
  },
  'GET /users/:id/roles': {
    given: async (world) => ({ params: { id: (await addStaff(world)).user_id } }),
    see: ({ body }, _sent, { mainStoreId }) => {
      const [{ role_id, ...held }] = body.data
      assert.ok(role_id)
      assert.deepEqual(held, { name: 'staff', store_id: mainStoreId })
    },
  },
  'POST /users/:id/roles': {
    given: async (world) => ({
      params: { id: await addPerson(world) },
      body: { role_id: await roleId(world, 'manager'), store_id: world.mainStoreId },
    }),
    see: (answer, { body }) => has(answer, { name: 'manager', ...Object(body) }),
  },
  'DELETE /users/:id/roles/:role_id': {
    given: async (world) => {
      const { user_id, role_id } = await addStaff(world)
      return { params: { id: user_id, role_id }, query: { store_id: world.mainStoreId } }
    },
    see: async (_answer, { params }, { get }) =>
      assert.deepEqual((await get(`/users/${params?.id}/roles`)).body, { data: [] }),
  },
  'GET /stores/:id/users': {
    given: async (world) => {
      await addStaff(world)
      return { params: { id: world.mainStoreId } }
    },
    see: (answer, _sent, { mainStoreId }) =>
      has(answer, { data: [{ status: 'active', roles: [{ name: 'staff', store_id: mainStoreId }] }] }),
  },
  'POST /stores/:id/users': {
    given: async (world) => ({
      params: { id: world.mainStoreId },
      body: { user_id: await addPerson(world), role_id: await roleId(world, 'viewer') },
    }),
    see: (answer, { body }, { mainStoreId }) => {
      const { user_id, role_id } = Object(body)
      has(answer, { id: user_id, roles: [{ role_id, name: 'viewer', store_id: mainStoreId }] })
    },
  },
  'DELETE /stores/:id/users': {
    given: async (world) => {
      const { user_id } = await addStaff(world)
      return { params: { id: world.mainStoreId }, query: { user_id } }
    },
    see: async (_answer, { query }, { get }) => {
      assert.deepEqual((await get(`/users/${query?.user_id}`)).body.roles, [])
    },
  },
  'GET /users/me/tenants': {
    given: () => ({}),
    see: (answer, _sent, { owner }) => has(answer, { data: [{ tenant: { id: owner.tenantId }, is_owner: true }] }),
  },
  'POST /authz/explain': {
    given: async (world) => ({
      body: { permission: 'store.view', store_id: world.mainStoreId, user_id: (await addStaff(world)).user_id },
    }),
    see: (answer, _sent, { mainStoreId }) =>
      has(answer, { allowed: true, reason: 'granted', via: [{ role: 'staff', store_id: mainStoreId }] }),
  },
}
