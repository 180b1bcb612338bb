import type { HealthCheck } from '#kernel'
import { listTenantsWithoutChain } from './seal-queries.ts'

const SHOWN = 5

/** The end of each chain is stored in one row. Without it nothing more of the tenant can be sealed. */
export const chainEnds: HealthCheck = {
  name: 'audit chains',
  ready: false,
  check: async (core) => {
    const tenants = await core.run(({ tx }) => listTenantsWithoutChain(tx, SHOWN + 1), { role: 'system' })
    if (tenants.length === 0) return 'every chain of seals has its end'
    const more = tenants.length > SHOWN ? ' and more' : ''
    throw new Error(
      `The end of the chain of seals is missing of ${tenants.slice(0, SHOWN).join(', ')}${more}: somebody removed it, and nothing more of their audit log can be sealed. Restore the rows of audit_chains from a backup.`,
    )
  },
}
