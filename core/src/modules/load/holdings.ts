import type { Holding } from '#kernel'
import { deleteLoadOf } from './queries.ts'

/**
 * What tenants cost, in the order in which figures are merged. They go with the tenant itself, since they come for as long as it is there:
 * what operators look at of it counts too.
 */
export const loadHoldings: readonly Holding[] = (['load_minutes', 'load_quarters', 'load_totals'] as const).map(
  (table) => ({
    table,
    columns: ['tenant_id'],
    remove: (tx, tenantId) => deleteLoadOf(tx, table, tenantId),
    isLast: true,
  }),
)
