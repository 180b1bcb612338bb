import { partialDeepStrictEqual as has } from 'node:assert/strict'
import { type Answered, asOperator, type Cases, type Filled, type Tenant } from '../../../testing/index.ts'
import { addAnother } from '../jobs/jobs.cases.ts'

const isDone = ({ body }: Answered, sent: Filled) =>
  has(body, { dry_run: false, data: [{ id: (sent.body.ids as string[])[0], outcome: 'done', code: null }] }) // as given

const given = async ({ test }: Tenant, body: Record<string, unknown>) => ({
  ...(await asOperator(test)),
  body: { dry_run: false, ...body },
})

/** What is told of the routes that act on many. */
export const bulkCases: NonNullable<Cases['routes']> = {
  'POST /admin/tenants/bulk': {
    given: async (tenant) => {
      const { id } = await tenant.test.foundTenant()
      // What other actions need is refused.
      const none = { days: undefined, plan_id: undefined, at: undefined }
      return given(tenant, { action: 'suspend', ids: [id], reason: 'Unpaid', ...none })
    },
    see: isDone,
  },
  'POST /admin/users/bulk': {
    given: async (tenant) => {
      const { userId } = await tenant.test.addPerson()
      return given(tenant, { action: 'disable', ids: [userId] })
    },
    see: isDone,
  },
  'POST /admin/jobs/bulk': {
    given: async (tenant) => given(tenant, { action: 'retry', ids: [await addAnother(tenant)] }),
    see: isDone,
  },
}
