import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

const ownerOf = async ({ send }: Tenant): Promise<string> => (await send('GET', '/users/me')).id
const colors = { primary_color: '#1a73e8', accent_color: null }

const cases: Cases = {
  ids: { tax_id: null },
  routes: {
    'POST /tenants': {
      given: ({ text }) => ({ body: { name: text(), slug: text().replaceAll(' ', '-') } }),
      see: async ({ body, headers }, sent, tenant) => {
        has(body, { ...sent.body, status: 'active', owner_id: await ownerOf(tenant) })
        assert.equal(headers.location, '/api/v1/tenants/current')
      },
    },
    'GET /tenants/current': {
      see: async ({ body }, _sent, tenant) =>
        has(body, { id: tenant.tenantId, owner_id: await ownerOf(tenant), status: 'active' }),
    },
    'PUT /tenants/current': {
      given: ({ text }) => ({ body: { name: text() } }),
      see: ({ body }, sent, { tenantId }) => has(body, { id: tenantId, ...sent.body }),
    },
    'GET /tenants/current/settings': {
      see: ({ body }, _sent, { tenantId }) => has(body, { tenant_id: tenantId, require_two_factor: false, extra: {} }),
    },
    'PUT /tenants/current/settings': {
      given: () => ({ body: { currency: 'CHF', invoice: { prefix: 'A' }, session_max_age_hours: 8760 } }),
      see: ({ body }, sent) => has(body, sent.body),
    },
    'GET /tenants/current/branding': {
      see: ({ body }) =>
        assert.deepEqual(Object.keys(body), ['logo_url', 'primary_color', 'accent_color', 'email_from_name']),
    },
    'PUT /tenants/current/branding': {
      given: () => ({ body: colors }),
      see: ({ body }) => has(body, { logo_url: null, ...colors }),
    },
  },
}

export default cases
