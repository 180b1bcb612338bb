import { sql, type Tx } from '#kernel'

/** How these tenants stand. Reads across tenants: for the system role. */
export const listTenantsStanding = (tx: Tx, ids: readonly string[]) =>
  tx
    .selectFrom('tenants')
    .select(['id', 'name', 'slug', 'status', 'owner_id', 'suspended_at', 'suspended_reason', 'updated_at'])
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
