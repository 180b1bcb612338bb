import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

/** Nobody listens there: what is sent goes nowhere. */
const urlOf = ({ text }: Tenant) => `http://127.0.0.1:9/${text().replaceAll(' ', '-')}`

/** A tenant has three sinks at most; the first is the one that stays. */
async function makeRoom({ send }: Tenant): Promise<void> {
  const { data } = await send('GET', '/audit/sinks')
  for (const { id } of data.slice(1)) await send('DELETE', `/audit/sinks/${id}`)
}

const cases: Cases = {
  routes: {
    'GET /audit/sinks': {
      given: async ({ id }) => {
        await id('/audit/sinks')
        return {}
      },
      see: async ({ body }, _sent, { id, tenantId }) => {
        const own = await id('/audit/sinks')
        const [sink] = body.data.filter((each: { id: string }) => each.id === own)
        has(sink, { tenant_id: tenantId, status: 'active' })
      },
    },
    'POST /audit/sinks': {
      given: async (tenant) => {
        await makeRoom(tenant)
        return { body: { url: urlOf(tenant), description: tenant.text(), from: 'beginning' } }
      },
      see: ({ body }, sent) => {
        const { url, description } = sent.body
        has(body, { url, description, status: 'active', last_sent_at: null })
        assert.match(body.secret, /^whsec_/)
      },
    },
    'GET /audit/sinks/:id': {
      see: ({ body }, { params }) => {
        has(body, { ...params, status: 'active', paused_reason: null })
        assert.equal('secret' in body, false)
      },
    },
    'PUT /audit/sinks/:id': {
      given: (tenant) => ({ body: { url: urlOf(tenant), description: 'Other' } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...sent.body }),
    },
    'DELETE /audit/sinks/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1/audit/sinks/${params.id}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
    'POST /audit/sinks/:id/pause': {
      see: ({ body }, { params }) => has(body, { ...params, status: 'paused', paused_reason: 'by_hand' }),
    },
    'POST /audit/sinks/:id/resume': {
      given: async ({ id, send }) => {
        await send('POST', `/audit/sinks/${await id('/audit/sinks')}/pause`)
        return {}
      },
      see: ({ body }, { params }) => has(body, { ...params, status: 'active', paused_reason: null }),
    },
    'POST /audit/sinks/:id/rotate-secret': {
      see: ({ body }) => {
        assert.match(body.secret, /^whsec_/)
        assert.ok(Date.parse(body.previous_expires_at) > Date.now())
      },
    },
    'POST /audit/sinks/:id/test': {
      see: ({ body }) => has(body, { ok: false, status: null, error: 'The server refuses connections' }),
    },
  },
}

export default cases
