import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { DAYS, momentAt } from '#kernel'
import type { Cases, Tenant } from '../../testing/index.ts'

const inAMonth = ({ test }: Tenant) => momentAt(test.clock.ms() + 30 * DAYS)
const wish = (tenant: Tenant) => ({ name: tenant.text(), scopes: ['store.view'], expires_at: inAMonth(tenant) })

const cases: Cases = {
  routes: {
    'GET /api-keys': {
      given: async ({ id }) => {
        await id('/api-keys')
        return {}
      },
      see: async ({ body }, _sent, { id }) => {
        const own = await id('/api-keys')
        assert.ok(body.data.some((key: { id: string }) => key.id === own))
      },
    },
    'POST /api-keys': {
      given: (tenant) => ({ body: wish(tenant) }),
      see: async ({ body }, sent, { test, tenantId }) => {
        has(body, { tenant_id: tenantId, name: sent.body.name, scopes: ['store.view'], revoked_at: null })
        const { status } = await test.request('GET', '/api/v1/stores', { headers: { 'x-api-key': body.key } })
        assert.ok([200, 403].includes(status), 'it is known, wherever it may be used from')
      },
    },
    'GET /api-keys/:id': {
      see: ({ body }, { params }, { tenantId, marker }) => {
        has(body, { ...params, tenant_id: tenantId, revoked_at: null })
        assert.ok(body.name.includes(marker))
      },
    },
    'PUT /api-keys/:id': {
      given: (tenant) => ({ body: wish(tenant) }),
      see: ({ body }, sent) => has(body, { ...sent.params, name: sent.body.name, scopes: ['store.view'] }),
    },
    'DELETE /api-keys/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const { body } = await test.request('GET', `/api/v1/api-keys/${params.id}`, { token: owner })
        assert.equal(typeof body.revoked_at, 'string')
      },
    },
  },
}

export default cases
