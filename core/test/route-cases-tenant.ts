import assert from 'node:assert/strict'
import { newId } from '#kernel'
import { has, type RouteCases } from './route-case.ts'
import type { World } from './route-world.ts'

const unique = (word: string) => `${word} ${newId().slice(-8)}`

const addStore = async ({ make }: World): Promise<string> => (await make('/stores', { name: unique('Store') })).body.id
const addRole = async ({ make }: World): Promise<string> => (await make('/roles', { name: unique('Role') })).body.id

const colors = { primary_color: '#1a73e8', accent_color: null }
const hours = { monday: [{ open: '09:00', close: '18:30' }] }

/** People's own profile, tenants, stores and roles. */
export const tenantCases: RouteCases = {
  'GET /users/me': {
    given: () => ({}),
    see: (answer, _sent, { owner }) =>
      has(answer, { id: owner.userId, email: owner.email, status: 'active', is_super_admin: false }),
  },
  'PUT /users/me': {
    given: () => ({ body: { phone: '+41 44 123 45 67', locale: 'de-CH', timezone: 'Europe/Zurich' } }),
    see: (answer, { body }, { owner }) => has(answer, { id: owner.userId, ...Object(body) }),
  },
  'POST /tenants': {
    given: () => ({ body: { name: 'Second', slug: `second-${newId().slice(-12)}` } }),
    see: (answer, { body }, { owner }) => {
      has(answer, { ...Object(body), status: 'active', owner_id: owner.userId })
      assert.equal(answer.headers.location, '/api/v1/tenants/current')
    },
  },
  'GET /tenants/current': {
    given: () => ({}),
    see: (answer, _sent, { owner }) => has(answer, { id: owner.tenantId, owner_id: owner.userId, status: 'active' }),
  },
  'PUT /tenants/current': {
    given: () => ({ body: { name: unique('Acme') } }),
    see: (answer, { body }, { owner }) => has(answer, { id: owner.tenantId, ...Object(body) }),
  },
  'GET /tenants/current/settings': {
    given: () => ({}),
    see: (answer, _sent, { owner }) => has(answer, { tenant_id: owner.tenantId, require_two_factor: false, extra: {} }),
  },
  'PUT /tenants/current/settings': {
    given: () => ({ body: { currency: 'CHF', invoice: { prefix: 'A' }, session_max_age_hours: 8760 } }),
    see: (answer, { body }) => has(answer, Object(body)),
  },
  'GET /tenants/current/branding': {
    given: () => ({}),
    see: ({ body }) =>
      assert.deepEqual(Object.keys(body), ['logo_url', 'primary_color', 'accent_color', 'email_from_name']),
  },
  'PUT /tenants/current/branding': {
    given: () => ({ body: colors }),
    see: (answer) => has(answer, { logo_url: null, ...colors }),
  },
  'GET /stores': {
    given: () => ({ query: { q: 'main', status: 'active' } }),
    see: (answer, _sent, { mainStoreId }) =>
      has(answer, { data: [{ id: mainStoreId, code: 'MAIN', is_default: true }], next_cursor: null }),
  },
  'POST /stores': {
    given: () => ({ body: { name: unique('South'), address: { city: 'Bern', country: 'CH' }, phone: null } }),
    see: (answer, { body }, { owner }) =>
      has(answer, { tenant_id: owner.tenantId, status: 'active', is_default: false, ...Object(body) }),
  },
  'GET /stores/:id': {
    given: ({ mainStoreId }) => ({ params: { id: mainStoreId } }),
    see: (answer, { params }) => has(answer, { ...params, name: 'Main', code: 'MAIN', is_default: true }),
  },
  'PUT /stores/:id': {
    given: async (world) => ({ params: { id: await addStore(world) }, body: { name: unique('West'), phone: '1' } }),
    see: (answer, { params, body }) => has(answer, { ...params, ...Object(body) }),
  },
  'DELETE /stores/:id': {
    given: async (world) => ({ params: { id: await addStore(world) } }),
    see: async (_answer, { params }, { test, owner }) => {
      const gone = await test.request('GET', `/api/v1/stores/${params?.id}`, { token: owner.token })
      assert.equal(gone.status, 404)
    },
  },
  'GET /stores/:id/settings': {
    given: ({ mainStoreId }) => ({ params: { id: mainStoreId } }),
    see: (answer, _sent, { owner }) => has(answer, { tenant_id: owner.tenantId, extra: {} }),
  },
  'PUT /stores/:id/settings': {
    given: async (world) => ({
      params: { id: await addStore(world) },
      body: { opening_hours: hours, extra: { a: 1 } },
    }),
    see: (answer) => has(answer, { opening_hours: { ...hours, sunday: [] }, extra: { a: 1 } }),
  },
  'GET /permissions': {
    given: () => ({}),
    see: ({ body }, _sent, { test }) => {
      const codes = body.data.map(({ code }: { code: string }) => code)
      assert.deepEqual(codes.sort(), [...test.core.registry.permissions.keys()].sort())
    },
  },
  'GET /roles': {
    given: () => ({ query: { q: 'owner' } }),
    see: (answer, _sent, { test }) => {
      has(answer, { data: [{ name: 'owner', is_system: true }] })
      assert.equal(answer.body.data[0].permissions.length, test.core.registry.permissions.size)
    },
  },
  'POST /roles': {
    given: () => ({ body: { name: unique('Night shift'), scope: 'store', permissions: ['store.view'] } }),
    see: (answer, { body }, { owner }) =>
      has(answer, { tenant_id: owner.tenantId, is_system: false, description: '', ...Object(body) }),
  },
  'GET /roles/:id': {
    given: async (world) => ({ params: { id: await addRole(world) } }),
    see: (answer, { params }) => has(answer, { ...params, scope: 'tenant', is_system: false, permissions: [] }),
  },
  'PUT /roles/:id': {
    given: async (world) => ({ params: { id: await addRole(world) }, body: { permissions: ['store.view'] } }),
    see: (answer, { params, body }) => has(answer, { ...params, ...Object(body) }),
  },
  'DELETE /roles/:id': {
    given: async (world) => ({ params: { id: await addRole(world) } }),
    see: async (_answer, { params }, { test, owner }) => {
      const gone = await test.request('GET', `/api/v1/roles/${params?.id}`, { token: owner.token })
      assert.equal(gone.status, 404)
    },
  },
}
