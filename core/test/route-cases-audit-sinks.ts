import assert from 'node:assert/strict'
import { has, type RouteCases, type Sent } from './route-case.ts'
import { NOBODY_LISTENS as url, type World } from './route-world.ts'

/** A new sink; a tenant has three at most, so the others make room. */
async function addSink(world: World, isPaused = false): Promise<Sent> {
  await removeSinks(world)
  const { id } = (await world.make('/audit/sinks', { url })).body
  if (isPaused) await world.make(`/audit/sinks/${id}/pause`, undefined)
  return { params: { id } }
}

async function removeSinks({ get, test, owner }: World): Promise<void> {
  for (const { id } of (await get('/audit/sinks')).body.data)
    await test.request('DELETE', `/api/v1/audit/sinks/${id}`, { token: owner.token })
}

/** Where the audit log is streamed to. */
export const auditSinkCases: RouteCases = {
  'GET /audit/sinks': {
    given: async (world) => {
      await addSink(world)
      return {}
    },
    see: (answer, _sent, { owner }) => has(answer, { data: [{ tenant_id: owner.tenantId, url, status: 'active' }] }),
  },
  'POST /audit/sinks': {
    given: async (world) => {
      await removeSinks(world)
      return { body: { url, description: 'Our SIEM', from: 'beginning' } }
    },
    see: (answer) => {
      has(answer, { url, description: 'Our SIEM', status: 'active', last_sent_at: null })
      assert.match(answer.body.secret, /^whsec_/)
    },
  },
  'GET /audit/sinks/:id': {
    given: (world) => addSink(world),
    see: (answer, { params }) => {
      has(answer, { ...params, url, status: 'active', paused_reason: null })
      assert.equal('secret' in answer.body, false)
    },
  },
  'PUT /audit/sinks/:id': {
    given: async (world) => ({ ...(await addSink(world)), body: { url: `${url}/other`, description: 'Other' } }),
    see: (answer, { params, body }) => has(answer, { ...params, ...Object(body) }),
  },
  'DELETE /audit/sinks/:id': {
    given: (world) => addSink(world),
    see: async (_answer, { params }, { test, owner }) => {
      const gone = await test.request('GET', `/api/v1/audit/sinks/${params?.id}`, { token: owner.token })
      assert.equal(gone.status, 404)
    },
  },
  'POST /audit/sinks/:id/pause': {
    given: (world) => addSink(world),
    see: (answer, { params }) => has(answer, { ...params, status: 'paused', paused_reason: 'by_hand' }),
  },
  'POST /audit/sinks/:id/resume': {
    given: (world) => addSink(world, true),
    see: (answer, { params }) => has(answer, { ...params, status: 'active', paused_reason: null }),
  },
  'POST /audit/sinks/:id/rotate-secret': {
    given: (world) => addSink(world),
    see: ({ body }) => {
      assert.match(body.secret, /^whsec_/)
      assert.ok(Date.parse(body.previous_expires_at) > Date.now())
    },
  },
  'POST /audit/sinks/:id/test': {
    given: (world) => addSink(world),
    see: (answer) => has(answer, { ok: false, status: null, error: 'The server refuses connections' }),
  },
}
