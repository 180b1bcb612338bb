import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { type Cases, SOME_PICTURE, type Tenant } from '../../testing/index.ts'

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
      see: ({ body }) => has(body, colors),
    },
    'POST /tenants/current/logo': {
      given: () => ({ file: SOME_PICTURE }),
      see: async ({ body }, _sent, { send }) => {
        has(body, { logo_url: (await send('GET', '/tenants/current/branding')).logo_url })
        assert.match(body.logo_url, /\/api\/v1\/pictures\/[\da-f-]{36}$/)
      },
    },
    'DELETE /tenants/current/logo': {
      see: async (_answer, _sent, { send }) => has(await send('GET', '/tenants/current/branding'), { logo_url: null }),
    },
  },
}

export default cases
