import assert from 'node:assert/strict'
import { newId } from '#kernel'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { has, type RouteCase, type RouteCases, type Sent } from './route-case.ts'
import type { World } from './route-world.ts'

const BUSINESS = '01900000-0000-7000-8000-000000000003'
const method = { type: 'card', label: 'Visa of the company', last4: '4242', expires: '2030-12' }

const post = async ({ test }: World, { token }: Person, path: string, body?: object) => {
  const answer = await test.request('POST', `/api/v1/subscriptions/current/${path}`, { token, body })
  assert.equal(answer.status, 200, answer.text)
}

/** As somebody whose own tenant is new, so that the world's keeps its plan. */
const asNewcomer = async (world: World, sent: Sent, prepare?: (person: Person) => Promise<void>): Promise<Sent> => {
  const person = await register(world.test, { tenant_name: `Newcomer ${newId()}` })
  await prepare?.(person)
  return { ...sent, token: person.token, again: () => person.token }
}

const shows = (fields: Record<string, unknown>): RouteCase => ({
  given: () => ({}),
  see: (answer) => has(answer, fields),
})

/** Plans, and what a tenant has of one. */
export const subscriptionCases: RouteCases = {
  'GET /subscriptions/plans': {
    given: () => ({ token: null }),
    see: (answer) =>
      has(answer, { data: [{ code: 'free' }, { code: 'starter', limits: { stores: 5 } }, { id: BUSINESS }] }),
  },
  'GET /subscriptions/plans/:id': {
    given: () => ({ token: null, params: { id: BUSINESS } }),
    see: (answer) => has(answer, { id: BUSINESS, code: 'business', limits: { stores: null, users: null } }),
  },
  'GET /subscriptions/current': {
    given: () => ({}),
    see: (answer, _sent, { owner }) => has(answer, { tenant_id: owner.tenantId, status: 'trialing' }),
  },
  'GET /subscriptions/current/details': shows({ subscription: { status: 'trialing' }, trial: { in_trial: true } }),
  'GET /subscriptions/current/usage': {
    given: () => ({}),
    see: ({ body }) => assert.ok(body.stores.used >= 1 && body.users.used >= 1),
  },
  'GET /subscriptions/current/trial': shows({ in_trial: true, days_left: 14 }),
  'POST /subscriptions/current/change-plan/preview': {
    given: () => ({ body: { plan_id: BUSINESS } }),
    see: (answer) => has(answer, { allowed: true, exceeds: [], amount_due_cents: 0 }),
  },
  'POST /subscriptions/current/change-plan': {
    given: (world) => asNewcomer(world, { body: { plan_id: BUSINESS } }),
    see: (answer) => has(answer, { plan: { id: BUSINESS }, status: 'trialing' }),
  },
  'POST /subscriptions/current/cancel': {
    given: (world) => asNewcomer(world, { body: { at_period_end: false } }),
    see: (answer) => has(answer, { status: 'canceled', cancel_at_period_end: false }),
  },
  'POST /subscriptions/current/reactivate': {
    given: (world) => asNewcomer(world, {}, (person) => post(world, person, 'cancel', { at_period_end: true })),
    see: (answer) => has(answer, { status: 'trialing', cancel_at_period_end: false }),
  },
  'PUT /subscriptions/current/payment-method': {
    given: (world) => asNewcomer(world, { body: method }),
    see: (answer) => has(answer, { payment_method: method }),
  },
}
