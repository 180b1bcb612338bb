import { sql, type Tx } from '#kernel'

/** Webhooks of these tenants that fail or were switched off by themselves. Reads across tenants: for the system role. */
export const listFailing = (tx: Tx, tenantIds: readonly string[], limit: number) =>
  tx
    .selectFrom('webhooks')
    .select(['tenant_id', 'id', 'url', 'is_active', 'disabled_reason', 'failures', 'failing_since', 'last_error'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where(sql<boolean>`((is_active and failures > 0) or disabled_reason is not null)`)
    .orderBy('failing_since', (order) => order.desc().nullsLast())
    .orderBy('id')
    .limit(limit)
    .execute()
