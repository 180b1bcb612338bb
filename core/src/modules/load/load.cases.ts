import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases, type Tenant } from '../../testing/index.ts'

const throttle = { requests_per_minute: 100, until: null, reason: 'Too many requests' }

/** A tenant of its own, which being held back does not matter to. */
async function onAnother({ test }: Tenant) {
  const { id } = await test.foundTenant()
  return { ...(await asOperator(test)), params: { id } }
}

/** What is told of the routes about load. */
const cases: Cases = {
  // It says how it is, whoever's row it is: no request makes it in one's own tenant.
  tableRows: { tenant_throttles: () => ({ requests_per_minute: 1_000_000 }) },
  routes: {
    'GET /admin/load': {
      given: async ({ test }) => ({ ...(await asOperator(test)), query: { window: '24h' } }),
      see: ({ body }) => {
        has(body, { window: '24h', complete: false })
        for (const shares of Object.values(body.by)) assert.ok(Array.isArray(shares))
      },
    },
    'POST /admin/tenants/:id/throttle': {
      given: async (tenant) => ({ ...(await onAnother(tenant)), body: throttle }),
      see: async ({ body }, { params, token }, { test }) => {
        has(body, throttle)
        const { body: found } = await test.request('GET', `/api/v1/admin/tenants/${params.id}`, { token })
        has(found, { id: params.id, throttle })
      },
    },
    'DELETE /admin/tenants/:id/throttle': {
      given: async (tenant) => {
        const filling = await onAnother(tenant)
        const path = `/api/v1/admin/tenants/${filling.params.id}/throttle`
        const { status } = await tenant.test.request('POST', path, { token: filling.token, body: throttle })
        assert.equal(status, 200)
        return filling
      },
      see: async (_answer, { params, token }, { test }) => {
        const { body } = await test.request('GET', `/api/v1/admin/tenants/${params.id}`, { token })
        has(body, { id: params.id, throttle: null })
      },
    },
  },
}

export default cases
