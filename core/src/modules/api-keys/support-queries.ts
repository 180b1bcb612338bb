import { sql, type Tx } from '#kernel'

/** Keys of these tenants that were refused since that day because they sent too much. Across tenants: for the system role. */
export const listLimitedKeys = (tx: Tx, tenantIds: readonly string[], since: string, limit: number) =>
  tx
    .selectFrom('api_key_usage as u')
    .innerJoin('api_keys as k', (join) =>
      join.onRef('k.tenant_id', '=', 'u.tenant_id').onRef('k.id', '=', 'u.api_key_id'),
    )
    .select(['u.tenant_id', 'u.api_key_id', 'k.rate_limit_per_minute', 'u.date', 'u.requests', 'u.limited'])
    .where(sql<boolean>`u.tenant_id = any(${tenantIds}::uuid[])`)
    .where('u.date', '>=', since)
    .where('u.limited', '>', 0)
    .orderBy('u.date', 'desc')
    .orderBy('u.limited', 'desc')
    .limit(limit)
    .execute()
