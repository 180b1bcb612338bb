import type { HealthCheck } from '#kernel'
import { listProblems } from './queries.ts'

const SHOWN = 5

/** What was promised to be gone is not, as long as a removal stands still. */
export const standingRemovals: HealthCheck = {
  name: 'tenant removals',
  ready: false,
  check: async (core) => {
    const found = await core.run(({ tx }) => listProblems(tx, SHOWN), {
      role: 'system',
      tenantId: null,
      readOnly: true,
    })
    if (found.length === 0) return 'no removal of a tenant stands still'
    throw new Error(
      `Removals of tenants stand still, and are tried again: ${found.map(({ tenant_id, problem }) => `${tenant_id} (${problem})`).join('; ')}.`,
    )
  },
}
