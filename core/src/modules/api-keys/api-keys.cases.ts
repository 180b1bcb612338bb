import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { DAYS, momentAt } from '#kernel'
import type { Cases, Tenant } from '../../testing/index.ts'

const inAMonth = ({ test }: Tenant) => momentAt(test.clock.ms() + 30 * DAYS)
const wish = (tenant: Tenant) => ({
  name: tenant.text(),
  scopes: ['store.view'],
  allowed_cidrs: ['0.0.0.0/0', '::/0'],
  expires_at: inAMonth(tenant),
})
const newHash = () => randomBytes(32).toString('hex')
/** A key that was not replaced yet. */
const newKey = async (tenant: Tenant) => tenant.send('POST', '/api-keys', wish(tenant))

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
    'POST /api-keys/:id/rotate': {
      given: async (tenant) => ({ params: { id: (await newKey(tenant)).id } }),
      see: async ({ body }, { params }, { test, owner }) => {
        has(body, { replaces_id: params.id, revoked_at: null })
        const before = await test.request('GET', `/api/v1/api-keys/${params.id}`, { token: owner })
        assert.equal(typeof before.body.expires_at, 'string')
      },
    },
    'GET /api-keys/:id/usage': {
      given: () => ({ query: { from: '2026-01-01', to: '2026-01-31' } }),
      see: ({ body }) => assert.deepEqual(body, { data: [] }),
    },
    'POST /api-keys/import': {
      given: (tenant) => ({ body: { keys: [{ ...wish(tenant), hash: newHash(), key_prefix: 'sk_test1' }] } }),
      see: ({ body }, _sent, { tenantId, marker }) => {
        has(body, { data: [{ tenant_id: tenantId, key_prefix: 'sk_test1' }] })
        assert.ok(body.data[0].name.includes(marker))
      },
    },
    'POST /api-keys/leaked': {
      given: async (tenant) => {
        const { key } = await newKey(tenant)
        return {
          raw: JSON.stringify([
            { token: key, type: 'tenantry_api_key', url: 'https://example.com', source: 'content' },
          ]),
        }
      },
      see: ({ body }) => has(body, [{ token_type: 'tenantry_api_key', label: 'true_positive' }]),
      // Who knows a whole key may end it, in whichever tenant: that names nothing else of it.
      across: null,
    },
  },
}

export default cases
