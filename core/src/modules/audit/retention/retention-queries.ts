import { sql, type Tx } from '#kernel'
import type { IdRange } from '../seals/seal-queries.ts'
import type { Retention } from './period.ts'

/** A tenant's settings (undefined: none, or the tenant is deleted) and what its chain marks as removed. */
export interface StoredRetention {
  tenant_id: string
  days: Partial<Retention> | undefined
  removed_to: string | null
}

// Missing settings are null, which the type does not allow.
const daysOf = sql<Partial<Retention> | null>`case when t.id is not null then jsonb_strip_nulls(jsonb_build_object(
  'audit_retention_days', t.settings -> 'audit_retention_days',
  'audit_retention_pending', t.settings -> 'audit_retention_pending')) end`.as('days')

/** Across tenants, by id after a given one: those with sealed records. */
export async function listRetentions(
  tx: Tx,
  { after, limit }: { after: string | null; limit: number },
): Promise<StoredRetention[]> {
  const query = tx
    .selectFrom('audit_chains as c')
    .leftJoin('tenants as t', (join) => join.onRef('t.id', '=', 'c.tenant_id').on('t.status', '<>', 'deleted'))
    .select(['c.tenant_id', 'c.removed_to', daysOf])
    .orderBy('c.tenant_id')
    .limit(limit)
  const rows = await (after === null ? query : query.where('c.tenant_id', '>', after)).execute()
  return rows.map(({ days, ...row }) => ({ ...row, days: days ?? undefined }))
}

/** The tenant's settings. */
export async function findRetention(tx: Tx, tenantId: string): Promise<Partial<Retention> | undefined> {
  const row = await tx
    .selectFrom('tenants as t')
    .select(daysOf)
    .where('t.id', '=', tenantId)
    .where('t.status', '<>', 'deleted')
    .executeTakeFirst()
  return row?.days ?? undefined
}

/** Across tenants: which of these have a record with a smaller id. One index look-up for each. */
export async function listTenantsWithRecords(tx: Tx, tenantIds: readonly string[], before: string): Promise<string[]> {
  const { rows } = await sql<{ tenant_id: string }>`
    select given.tenant_id from unnest(${tenantIds}::uuid[]) as given (tenant_id)
    cross join lateral (select from audit_logs a where a.tenant_id = given.tenant_id and a.id < ${before} limit 1) as found
    order by 1`.execute(tx)
  return rows.map(({ tenant_id }) => tenant_id)
}

/** The id at an offset in the range. */
export async function findIdAt(
  tx: Tx,
  tenantId: string,
  { from, before, offset }: IdRange & { offset: number },
): Promise<string | undefined> {
  const row = await tx
    .selectFrom('audit_logs')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '>=', from)
    .where('id', '<', before)
    .orderBy('id')
    .offset(offset)
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

/**
 * For the system role: deletes the oldest records of a range, up to `limit`. `next` is where to continue; null: none is
 * left.
 */
export async function deleteRecords(
  tx: Tx,
  tenantId: string,
  { from, before, limit }: IdRange & { limit: number },
): Promise<{ removed: number; next: string | null }> {
  const { rows } = await sql<{ removed: number; next: string | null }>`
    select removed, next_id as next from tenantry.remove_audit_logs(${tenantId}, ${from}, ${before}, ${limit})`.execute(
    tx,
  )
  return rows[0]! // the function returns one row
}

/** For the system role: deletes the oldest blocks that hold nothing but removed records; returns how many. */
export async function deleteBlocks(tx: Tx, tenantId: string, limit: number): Promise<number> {
  const { rows } = await sql<{ removed: number }>`
    select tenantry.remove_audit_blocks(${tenantId}, ${limit}) as removed`.execute(tx)
  return rows[0]!.removed // as above
}

/** The first day of each month with a partition, oldest first. */
export async function listMonths(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    select substr(c.relname, 12, 4) || '-' || substr(c.relname, 16, 2) || '-01' as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'core.audit_logs'::regclass and c.relname ~ '^audit_logs_[0-9]{6}$'
    order by 1`.execute(tx)
  return rows.map(({ month }) => month)
}

/**
 * For the system role, in its own transaction: drops the partition of a month when no tenant keeps a record of it; true
 * when it did. Fails with 55P03 when another transaction holds a lock.
 */
export async function deleteMonth(tx: Tx, month: string): Promise<boolean> {
  const { rows } = await sql<{ dropped: boolean }>`select tenantry.drop_audit_month(${month}::date) as dropped`.execute(
    tx,
  )
  return rows[0]!.dropped // as above
}
