import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Filling, Tenant, TestPerson } from '../../testing/index.ts'

const method = { type: 'card', label: 'Visa of the company', last4: '4242', expires: '2030-12' }

/** Plans belong to nobody: any of them will do. */
async function aPlan({ send }: Pick<Tenant, 'send'>): Promise<string> {
  const { data } = await send('GET', '/subscriptions/plans')
  return data.find(({ code }: { code: string }) => code === 'business').id
}

/** As somebody whose own tenant is new: the others keep their subscription. */
async function asNewcomer({ test }: Tenant, body: Filling['body'], prepare?: (owner: TestPerson) => Promise<unknown>) {
  const { owner } = await test.foundTenant()
  await prepare?.(owner)
  return { body, token: await owner.token(), again: () => owner.token() }
}

const cases: Cases = {
  ids: { plan_id: null, '/subscriptions/plans': null },
  routes: {
    'GET /subscriptions/plans': {
      see: ({ body }) =>
        has(body, { data: [{ code: 'free' }, { code: 'starter', limits: { stores: 5 } }, { code: 'business' }] }),
    },
    'GET /subscriptions/plans/:id': {
      given: async (tenant) => ({ params: { id: await aPlan(tenant) } }),
      see: ({ body }, { params }) => has(body, { ...params, code: 'business', limits: { stores: null, users: null } }),
    },
    'GET /subscriptions/current': {
      see: ({ body }, _sent, { tenantId }) => has(body, { tenant_id: tenantId, status: 'trialing' }),
    },
    'GET /subscriptions/current/details': {
      see: ({ body }) => has(body, { subscription: { status: 'trialing' }, trial: { in_trial: true } }),
    },
    'GET /subscriptions/current/usage': {
      see: ({ body }) => assert.ok(body.stores.used >= 1 && body.users.used >= 1),
    },
    'GET /subscriptions/current/trial': { see: ({ body }) => has(body, { in_trial: true, days_left: 14 }) },
    'POST /subscriptions/current/change-plan/preview': {
      given: async (tenant) => ({ body: { plan_id: await aPlan(tenant) } }),
      see: ({ body }) => has(body, { allowed: true, exceeds: [], amount_due_cents: 0 }),
    },
    'POST /subscriptions/current/change-plan': {
      given: async (tenant) => asNewcomer(tenant, { plan_id: await aPlan(tenant) }),
      see: ({ body }, sent) => has(body, { plan: { id: sent.body.plan_id }, status: 'trialing' }),
    },
    'POST /subscriptions/current/cancel': {
      given: (tenant) => asNewcomer(tenant, { at_period_end: false }),
      see: ({ body }) => has(body, { status: 'canceled', cancel_at_period_end: false }),
    },
    'POST /subscriptions/current/reactivate': {
      given: (tenant) =>
        asNewcomer(tenant, {}, (owner) => owner.post('/subscriptions/current/cancel', { at_period_end: true })),
      see: ({ body }) => has(body, { status: 'trialing', cancel_at_period_end: false }),
    },
    'PUT /subscriptions/current/payment-method': {
      given: (tenant) => asNewcomer(tenant, method),
      see: ({ body }) => has(body, { payment_method: method }),
    },
  },
}

export default cases
