import { sql, type Tx } from '#kernel'

// Across tenants: for the system role.

/** Jobs of these tenants that were given up, the newest first. */
export const listFailedJobs = (tx: Tx, tenantIds: readonly string[], limit: number) =>
  tx
    .selectFrom('tenant_jobs')
    .select(['tenant_id', 'id', 'task', 'attempts', 'created_at'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where('status', '=', sql.lit('failed'))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

/** Those of these tenants that a person owns. */
export const listOwned = async (tx: Tx, tenantIds: readonly string[], userId: string): Promise<string[]> =>
  (
    await tx
      .selectFrom('tenants')
      .select('id')
      .where(sql<boolean>`id = any(${tenantIds}::uuid[])`)
      .where('owner_id', '=', userId)
      .execute()
  ).map(({ id }) => id)

/** From here on a statement of the transaction that takes longer is given up. */
export const updateStatementTimeout = (tx: Tx, ms: number) =>
  sql`set local statement_timeout = ${sql.lit(ms)}`.execute(tx)
