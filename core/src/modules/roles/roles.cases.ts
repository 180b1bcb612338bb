import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'

const cases: Cases = {
  routes: {
    'GET /permissions': {
      see: ({ body }, _sent, { test }) => {
        const codes = body.data.map(({ code }: { code: string }) => code)
        assert.deepEqual(codes.sort(), [...test.core.registry.permissions.keys()].sort())
      },
    },
    'GET /roles': {
      given: async ({ id }) => {
        await id('/roles')
        return {}
      },
      see: async ({ body }, _sent, { id, send, test }) => {
        const own = await id('/roles')
        assert.ok(body.data.some((role: { id: string }) => role.id === own))
        const owners = await send('GET', '/roles?q=owner')
        has(owners, { data: [{ name: 'owner', is_system: true }] })
        assert.equal(owners.data[0].permissions.length, test.core.registry.permissions.size)
      },
    },
    'POST /roles': {
      given: ({ text }) => ({ body: { name: text(), scope: 'store', permissions: ['store.view'] } }),
      see: ({ body }, sent, { tenantId }) =>
        has(body, { tenant_id: tenantId, is_system: false, description: '', ...sent.body }),
    },
    'GET /roles/:id': {
      see: ({ body }, { params }) =>
        has(body, { ...params, scope: 'store', is_system: false, permissions: ['store.view'] }),
    },
    'PUT /roles/:id': {
      given: () => ({ body: { permissions: ['store.update', 'store.view'] } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...sent.body }),
    },
    'DELETE /roles/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1/roles/${params.id}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
  },
}

export default cases
