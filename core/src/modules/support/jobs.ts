import { defineSupport, SUPPORT_SHOWN, shownOf } from '#kernel'
import { listFailedJobs } from './queries.ts'
import { FailedJobs } from './schema.ts'

/** Jobs of the person's tenants that were given up. Neither what they carry nor what they failed with, which may quote it. */
export const jobsSupport = defineSupport({
  name: 'jobs',
  description: 'Jobs of their tenants that were given up',
  roles: ['support', 'operations'],
  schema: FailedJobs,
  causes: {
    job_failed: {
      severity: 'medium',
      likelihood: 50,
      do: 'Look for the job by its id in the log of the workers, which says what it failed with; mend that, and have what it was about done again.',
    },
  },
  async read({ tx }, { tenantIds }) {
    const { rows, leftOut } = shownOf(await listFailedJobs(tx, tenantIds, SUPPORT_SHOWN + 1))
    const findings = [...Map.groupBy(rows, ({ tenant_id }) => tenant_id)].map(([tenantId, [newest, ...more]]) => ({
      code: 'job_failed' as const, // as declared above
      tenantId,
      what: `The job ${newest?.id} (${newest?.task}) was given up after ${newest?.attempts} attempts${more.length > 0 ? `, and ${more.length} more of the newest` : ''}.`,
      at: newest?.created_at,
    }))
    return { shown: { failed: rows }, findings, leftOut }
  },
})
