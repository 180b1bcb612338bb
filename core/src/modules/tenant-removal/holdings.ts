import type { Holding } from '#kernel'

/** What this module knows of a tenant: most of it goes by the very end of a removal. */
export const removalHoldings: readonly Holding[] = [
  {
    table: 'tenant_removals',
    columns: ['tenant_id'],
    kept: 'until the tenant is gone, in whose last transaction it goes',
  },
  {
    table: 'tenant_removal_people',
    columns: ['tenant_id'],
    kept: 'until their accounts were looked at, before the tenant is gone',
  },
  {
    table: 'tenant_removal_certificates',
    columns: ['tenant_id'],
    kept: 'what was removed, and that it was, has to be shown later',
  },
]
