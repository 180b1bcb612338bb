import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'

/** Codes are kept in capital letters. */
const shown = ({ code, ...fields }: Record<string, unknown>) =>
  code === undefined ? fields : { ...fields, code: String(code).toUpperCase() }

const hours = { monday: [{ open: '09:00', close: '18:30' }] }

const cases: Cases = {
  routes: {
    'GET /stores': {
      given: async ({ id }) => {
        await id('/stores')
        return {}
      },
      see: async ({ body }, _sent, { id, send }) => {
        const own = await id('/stores')
        assert.ok(body.data.some((store: { id: string }) => store.id === own))
        const main = await send('GET', '/stores?q=main&status=active')
        has(main, { data: [{ code: 'MAIN', is_default: true }], next_cursor: null })
      },
    },
    'POST /stores': {
      given: ({ text }) => ({ body: { name: text(), address: { city: 'Bern', country: 'CH' }, phone: null } }),
      see: ({ body }, sent, { tenantId }) =>
        has(body, { tenant_id: tenantId, status: 'active', is_default: false, ...shown(sent.body) }),
    },
    'GET /stores/:id': {
      see: ({ body }, { params }, { tenantId, marker }) => {
        has(body, { ...params, tenant_id: tenantId, status: 'active', is_default: false })
        assert.ok(body.name.includes(marker))
      },
    },
    'PUT /stores/:id': {
      given: ({ text }) => ({ body: { name: text(), phone: '1' } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...shown(sent.body) }),
    },
    'DELETE /stores/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1/stores/${params.id}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
    'GET /stores/:id/settings': {
      see: ({ body }, _sent, { tenantId }) => has(body, { tenant_id: tenantId, extra: {} }),
    },
    'PUT /stores/:id/settings': {
      given: () => ({ body: { opening_hours: hours, extra: { a: 1 } } }),
      see: ({ body }) => has(body, { opening_hours: { ...hours, sunday: [] }, extra: { a: 1 } }),
    },
  },
}

export default cases
