import assert from 'node:assert/strict'
import { asOperator, type Cases } from '../../testing/index.ts'

const cases: Cases = {
  ids: { '/admin/support': null, tenant_id: 'tenant' },
  routes: {
    'GET /admin/support': {
      given: async (tenant) => {
        const { data } = await tenant.send('GET', '/stores')
        const query = { email: 'nobody@example.com', tenant_id: tenant.tenantId, store_id: data[0].id }
        return { ...(await asOperator(tenant.test)), query }
      },
      see: ({ body }) => assert.equal(body.findings[0].code, 'no_account'),
    },
  },
}

export default cases
