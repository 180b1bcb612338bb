import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import { asOperator, type Cases, type Filling, type Tenant } from '../../../testing/index.ts'

/** A job of the tenant that was given up, of a task that nobody knows. */
export async function addFailedJob({ test, tenantId }: Pick<Tenant, 'test' | 'tenantId'>): Promise<string> {
  const id = newId()
  await test.core.db.systemQuery(
    `insert into tenant_jobs (tenant_id, id, task, payload, origin, status, attempts, max_attempts, run_at, created_at)
     values ($1, $2, 'nobody.knows', '{}', '{}', 'failed', 3, 3, $3, $3) returning 1`,
    [tenantId, id, test.clock.now()],
  )
  return id
}

/** One of another tenant, whose jobs nobody else runs. */
export async function addAnother({ test }: Pick<Tenant, 'test'>): Promise<string> {
  const { id: tenantId } = await test.foundTenant()
  return addFailedJob({ test, tenantId })
}

const onFailed = async (tenant: Tenant): Promise<Filling> => ({
  ...(await asOperator(tenant.test)),
  params: { id: await addAnother(tenant) },
})

/** What is told of the routes about jobs. */
export const jobCases: NonNullable<Cases['routes']> = {
  'GET /admin/jobs': {
    given: async (tenant) => {
      await addFailedJob(tenant)
      return { ...(await asOperator(tenant.test)), query: { status: 'failed', tenant_id: tenant.tenantId } }
    },
    see: ({ body }, _sent, { tenantId }) => has(body.data[0], { status: 'failed', tenant_id: tenantId }),
  },
  'POST /admin/jobs/:id/retry': {
    given: onFailed,
    see: ({ body }, { params }) => has(body, { id: params.id, status: 'waiting', attempts: 0 }),
  },
  'DELETE /admin/jobs/:id': {
    given: onFailed,
    see: async (_answer, { params, token }, { test }) => {
      const { body } = await test.request('GET', '/api/v1/admin/jobs?task=nobody.knows', { token })
      assert.ok(!body.data.some(({ id }: { id: string }) => id === params.id))
    },
  },
}
