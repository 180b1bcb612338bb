import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

/** Nobody listens there: what is sent goes nowhere. */
const urlOf = ({ text }: Tenant) => `http://127.0.0.1:9/${text().replaceAll(' ', '-')}`

/** A webhook of the tenant, made anew: the plan has room for five, so those between the first and the last ones go. */
async function add(tenant: Tenant): Promise<string> {
  const { data } = await tenant.send('GET', '/webhooks?limit=100')
  for (const { id } of data.slice(3, -1)) await tenant.send('DELETE', `/webhooks/${id}`)
  const { id } = await tenant.send('POST', '/webhooks', { url: urlOf(tenant), events: ['*'] })
  return id
}

/** Two tests on their way to it, of which the second is named. */
async function addDelivery(tenant: Tenant): Promise<{ id: string; delivery_id: string }> {
  const id = await add(tenant)
  await tenant.send('POST', `/webhooks/${id}/test`, {})
  const { id: delivery_id } = await tenant.send('POST', `/webhooks/${id}/test`, {})
  return { id, delivery_id }
}

const cases: Cases = {
  ids: { webhook_id: '/webhooks', delivery_id: '/webhook-deliveries' },
  makers: { '/webhook-deliveries': async (tenant) => (await addDelivery(tenant)).delivery_id },
  routes: {
    'GET /webhooks': {
      given: async ({ id }) => {
        await id('/webhooks')
        return {}
      },
      see: async ({ body }, _sent, { id, tenantId }) => {
        const own = await id('/webhooks')
        const [webhook] = body.data.filter((each: { id: string }) => each.id === own)
        has(webhook, { tenant_id: tenantId, is_active: true })
        assert.equal('secret' in webhook, false)
      },
    },
    'POST /webhooks': {
      given: async (tenant) => ({
        body: { url: urlOf(tenant), events: ['store.*'], description: tenant.text(), headers: { 'X-Key': 'abc' } },
      }),
      see: ({ body }, sent) => {
        const { url, description, events } = sent.body
        has(body, { url, description, events, headers: { 'X-Key': '***' }, is_active: true })
        assert.match(body.secret, /^whsec_/)
      },
    },
    'GET /webhooks/events': {
      see: ({ body }) => {
        const [event] = body.data.filter(({ name }: { name: string }) => name === 'store.created')
        has(event, { sample: { type: 'store.created' } })
      },
    },
    'GET /webhooks/:id': { see: ({ body }, { params }) => has(body, { ...params, is_active: true }) },
    'PUT /webhooks/:id': {
      given: (tenant) => ({ body: { url: urlOf(tenant), description: 'Other', events: ['store.*'] } }),
      see: ({ body }, sent) => has(body, { ...sent.params, ...sent.body }),
    },
    'DELETE /webhooks/:id': {
      see: async (_answer, { params }, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1/webhooks/${params.id}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
    'POST /webhooks/:id/rotate-secret': {
      see: ({ body }) => {
        assert.match(body.secret, /^whsec_/)
        assert.ok(Date.parse(body.previous_expires_at) > Date.now())
      },
    },
    'GET /webhooks/:id/deliveries': {
      given: async (tenant) => ({ params: { id: (await addDelivery(tenant)).id } }),
      see: ({ body }, { params }) => {
        const [test] = body.data.filter(({ event }: { event: string }) => event === 'webhook.test')
        has(test, { webhook_id: params.id })
      },
    },
    'GET /webhooks/:id/deliveries/:delivery_id': {
      given: async (tenant) => ({ params: await addDelivery(tenant) }),
      see: ({ body }, { params }) => has(body, { id: params.delivery_id, attempts: [] }),
    },
    'POST /webhooks/:id/deliveries/:delivery_id/redeliver': {
      given: async (tenant) => ({ params: await addDelivery(tenant) }),
      see: ({ body }, { params }) => has(body, { id: params.delivery_id, status: 'pending' }),
    },
    'POST /webhooks/:id/replay': {
      given: async (tenant) => {
        const id = await add(tenant)
        const now = Date.now()
        const [since, until] = [now - 60_000, now + 60_000].map((ms) => new Date(ms).toISOString())
        return { params: { id }, body: { since, until, status: 'missed' } }
      },
      see: ({ body }) => assert.ok(body.queued >= 0),
    },
    'POST /webhooks/:id/test': {
      given: async (tenant) => ({ params: { id: await add(tenant) }, body: { event: 'user.created' } }),
      see: ({ body }, { params }) => has(body, { webhook_id: params.id, event: 'user.created', status: 'pending' }),
    },
    'GET /webhooks/:id/stats': { see: ({ body }) => has(body, { failures: 0 }) },
  },
}

export default cases
