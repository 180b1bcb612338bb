import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases, type Tenant } from '../../../testing/index.ts'

let made = 0
const newPlan = () => ({ code: `case-${++made}-${Date.now()}`, name: 'Chain', price_cents: 19_900, currency: 'EUR' })

async function send({ test }: Tenant, method: string, path: string, body?: object) {
  const answer = await test.request(method, `/api/v1${path}`, { token: (await asOperator(test)).token, body })
  assert.ok(answer.status < 300, answer.text)
  return answer.body
}

/** A plan of its own, which nobody has. */
async function ofAPlan(tenant: Tenant) {
  const { id } = await send(tenant, 'POST', '/admin/plans', newPlan())
  return { ...(await asOperator(tenant.test)), params: { id } }
}

/** A share of all tenants that has what it had before. */
async function ofARollout(tenant: Tenant) {
  await send(tenant, 'PUT', '/admin/rollouts/stores', { value: 5, share: 0 })
  return { ...(await asOperator(tenant.test)), params: { name: 'stores' } }
}

/** What is told of the routes about plans, and about what tenants get beside them. */
export const planCases: Required<Pick<Cases, 'routes' | 'makers'>> = {
  makers: {
    '/admin/plans': async (tenant) => (await ofAPlan(tenant)).params.id,
  },
  routes: {
    'GET /admin/plans': {
      given: ({ test }) => asOperator(test),
      see: ({ body }) => {
        const codes = body.data.map(({ code }: { code: string }) => code)
        assert.ok(codes.includes('free'), codes.join())
      },
    },
    'GET /admin/plans/:id': {
      given: ofAPlan,
      see: ({ body }, { params }) =>
        has(body, { ...params, name: 'Chain', subscriptions: 0, pending_subscriptions: 0 }),
    },
    'POST /admin/plans': {
      given: async ({ test }) => ({ ...(await asOperator(test)), body: newPlan() }),
      see: ({ body }, sent) => has(body, { ...sent.body, subscriptions: 0 }),
    },
    'PUT /admin/plans/:id': {
      given: async (tenant) => ({ ...(await ofAPlan(tenant)), body: { name: 'Larger chain', limits: { stores: 70 } } }),
      see: ({ body }, { params }) => has(body, { ...params, name: 'Larger chain', limits: { stores: 70 } }),
    },
    'DELETE /admin/plans/:id': {
      given: ofAPlan,
      see: async (_answer, { params, token }, { test }) => {
        const { status } = await test.request('GET', `/api/v1/admin/plans/${params.id}`, { token })
        assert.equal(status, 404)
      },
    },
    'GET /admin/rollouts': {
      given: async (tenant) => {
        await send(tenant, 'PUT', '/admin/rollouts/users', { value: 5, share: 0 })
        const { params, ...operator } = await ofARollout(tenant)
        return operator
      },
      see: ({ body }) => {
        const names = body.data.map(({ name }: { name: string }) => name)
        assert.deepEqual(names.toSorted(), ['stores', 'users'])
      },
    },
    'GET /admin/rollouts/:name': {
      given: ofARollout,
      see: ({ body }) => has(body, { name: 'stores', kind: 'limit', value: 5, share: 0, until: null }),
    },
    'PUT /admin/rollouts/:name': {
      given: async (tenant) => ({ ...(await ofARollout(tenant)), body: { value: 5 + ++made } }),
      see: ({ body }, sent) => has(body, { name: 'stores', value: sent.body.value, share: 0 }),
    },
    'DELETE /admin/rollouts/:name': {
      given: ofARollout,
      see: async (_answer, { token }, { test }) => {
        const { status } = await test.request('GET', '/api/v1/admin/rollouts/stores', { token })
        assert.equal(status, 404)
      },
    },
    'GET /admin/audit': {
      given: async (tenant) => {
        await tenant.id('/stores')
        return { ...(await asOperator(tenant.test)), query: { tenant_id: tenant.tenantId } }
      },
      see: ({ body }, { query }) => {
        assert.ok(body.data.length > 0)
        for (const record of body.data) has(record, query)
      },
    },
  },
}
