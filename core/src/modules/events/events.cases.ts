import assert from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

/** A store of the tenant is made, which is an event. */
const happened = async ({ send, text }: Tenant) => void (await send('POST', '/stores', { name: text() }))

const cases: Cases = {
  routes: {
    'GET /events': {
      given: async (tenant) => {
        await happened(tenant)
        return { query: { types: 'store.created', limit: '100' } }
      },
      see: ({ body }, _sent, { marker, tenantId }) => {
        const made = body.data.map(({ tenant_id, data }: { tenant_id: string; data: { name: string } }) => {
          assert.equal(tenant_id, tenantId)
          return data.name
        })
        assert.ok(made.some((name: string) => name.includes(marker)))
        assert.equal(typeof body.next_cursor, 'string')
      },
    },
  },
}

export default cases
