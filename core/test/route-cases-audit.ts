import assert from 'node:assert/strict'
import { register } from '../src/modules/auth/auth.fixture.ts'
import { has, type RouteCases } from './route-case.ts'

/** Who did what. */
export const auditCases: RouteCases = {
  'GET /audit': {
    // Of somebody whose tenant is new: all that happened fits on one page.
    given: async ({ test }) => ({ token: (await register(test)).token, query: { action: 'store.*' } }),
    see: (answer) => has(answer, { data: [{ action: 'store.created', resource_label: 'Main' }], next_cursor: null }),
  },
  'GET /audit/:id': {
    given: async ({ get }) => ({ params: { id: (await get('/audit?action=tenant.created')).body.data[0].id } }),
    see: (answer, { params }, { owner }) =>
      has(answer, { ...params, tenant_id: owner.tenantId, user_id: owner.userId, action: 'tenant.created' }),
  },
  'GET /audit/export': {
    given: () => ({ query: { format: 'ndjson', action: 'tenant.created' } }),
    see: ({ text, headers }, _sent, { owner }) => {
      const [record, ...others] = text.trimEnd().split('\n')
      assert.deepEqual([JSON.parse(record ?? '').tenant_id, others], [owner.tenantId, []])
      assert.match(String(headers['content-disposition']), /^attachment; filename="audit-/)
    },
  },
  'GET /audit/verify': {
    given: () => ({}),
    see: (answer) => has(answer, { valid: true, first_invalid: null }),
  },
  'GET /audit/keys': {
    given: () => ({}),
    see: ({ body }) => {
      assert.deepEqual(
        body.data.map(({ algorithm, public_key }: Record<string, string>) => [algorithm, public_key?.length]),
        [['Ed25519', 43]],
      )
    },
  },
}
