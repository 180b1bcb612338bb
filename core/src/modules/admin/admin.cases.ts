import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases, type Filling, type Tenant } from '../../testing/index.ts'
import { bulkCases } from './bulk/bulk.cases.ts'
import { addFailedJob, jobCases } from './jobs/jobs.cases.ts'
import { peopleCases } from './people/people.cases.ts'
import { planCases } from './plans/plans.cases.ts'

/** A tenant of its own, which what is done to it does not matter to. */
async function onAnother({ test }: Tenant): Promise<Filling & { params: { id: string } }> {
  const { id } = await test.foundTenant()
  return { ...(await asOperator(test)), params: { id } }
}

async function suspended(tenant: Tenant) {
  const filling = await onAnother(tenant)
  const path = `/api/v1/admin/tenants/${filling.params.id}/suspend`
  const { status } = await tenant.test.request('POST', path, { token: filling.token, body: { reason: 'Unpaid' } })
  assert.equal(status, 200)
  return filling
}

async function exported(tenant: Tenant) {
  const filling = await onAnother(tenant)
  const path = `/api/v1/admin/tenants/${filling.params.id}/export`
  const { status } = await tenant.test.request('POST', path, { token: filling.token })
  assert.equal(status, 202)
  return filling
}

/** What is told of the routes of operators. */
const cases: Cases = {
  // Of what is acted on in bulk no id belongs to a tenant alone.
  ids: {
    '/admin/tenants': 'tenant',
    '/admin/users': '/users',
    '/admin/jobs': '/admin/jobs',
    '/admin/rollouts': null,
    plan_id: null,
    ids: null,
  },
  makers: { '/admin/jobs': addFailedJob, ...planCases.makers },
  routes: {
    ...peopleCases,
    ...jobCases,
    ...bulkCases,
    ...planCases.routes,
    'GET /admin/overview': {
      given: ({ test }) => asOperator(test),
      see: ({ body }) => {
        assert.ok(body.tenants.active >= 1 && body.users >= 1)
        assert.equal(body.signups.length, 30)
      },
    },
    'GET /admin/tenants': {
      given: async (tenant) => {
        await tenant.test.foundTenant()
        return asOperator(tenant.test)
      },
      see: ({ body }, _sent, { tenantId }) =>
        assert.ok(body.data.some(({ id }: { id: string }) => id === tenantId) || body.next_cursor !== null),
    },
    'GET /admin/tenants/:id': {
      given: ({ test }) => asOperator(test),
      see: ({ body }, { params }) => {
        has(body, { id: params.id, status: 'active', suspended_at: null })
        assert.ok(body.usage.users.used >= 1)
      },
    },
    'PUT /admin/tenants/:id': {
      given: async (tenant) => ({ ...(await onAnother(tenant)), body: { name: 'Renamed' } }),
      see: ({ body }, sent) => has(body, { id: sent.params.id, name: 'Renamed' }),
    },
    'POST /admin/tenants/:id/suspend': {
      given: async (tenant) => ({ ...(await onAnother(tenant)), body: { reason: 'Unpaid' } }),
      see: ({ body }, sent) => has(body, { id: sent.params.id, status: 'suspended', suspended_reason: 'Unpaid' }),
    },
    'POST /admin/tenants/:id/reactivate': {
      given: suspended,
      see: ({ body }, sent) => has(body, { id: sent.params.id, status: 'active', suspended_reason: null }),
    },
    'POST /admin/tenants/:id/extend-trial': {
      given: async (tenant) => ({ ...(await onAnother(tenant)), body: { days: 7 } }),
      see: ({ body }, sent) => has(body, { id: sent.params.id, subscription: { status: 'trialing' } }),
    },
    'POST /admin/tenants/:id/export': {
      given: onAnother,
      see: ({ status, body }) => {
        assert.equal(status, 202)
        assert.ok(body.job_id)
      },
    },
    'GET /admin/tenants/:id/export': {
      given: exported,
      see: ({ body }, { params }) =>
        has(body, { tenant_id: params.id, status: 'queued', requested_by: null, url: null }),
    },
    'POST /admin/tenants/:id/change-plan': {
      given: async (tenant) => {
        const { body } = await tenant.test.request('GET', '/api/v1/subscriptions/plans')
        const { id } = body.data.find(({ code }: { code: string }) => code === 'business')
        return { ...(await onAnother(tenant)), body: { plan_id: id } }
      },
      see: ({ body }, sent) => has(body, { id: sent.params.id, plan: { id: sent.body.plan_id, code: 'business' } }),
    },
  },
}

export default cases
