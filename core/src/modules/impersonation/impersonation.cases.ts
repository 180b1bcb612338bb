import { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases } from '../../testing/index.ts'

/** What is told of acting as somebody else. */
const cases: Cases = {
  routes: {
    'POST /admin/tenants/:id/impersonate': {
      given: async ({ test, tenantId, id }) => ({
        ...(await asOperator(test)),
        params: { id: tenantId },
        body: { user_id: await id('/users'), reason: 'Ticket 4711: invoices are missing' },
      }),
      see: ({ body }, sent) =>
        has(body, { user_id: sent.body.user_id, tenant_id: sent.params.id, read_only: true, token_type: 'Bearer' }),
    },
  },
}

export default cases
