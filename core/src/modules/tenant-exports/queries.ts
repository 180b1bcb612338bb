import { type Insertable, type SweepPage, sql, type Tx, type Updateable } from '#kernel'
import type { ExportRow, Progress, TenantExportTable } from './table.ts'

export type ExportKey = Pick<ExportRow, 'tenant_id' | 'id'>
export type ExportChange = Omit<Updateable<TenantExportTable>, keyof ExportKey>

const selectExports = (tx: Tx, tenantId: string) =>
  tx.selectFrom('tenant_exports').selectAll().where('tenant_id', '=', tenantId)

/** The one that was asked for last; undefined when there is none. */
export const findNewestExport = (tx: Tx, tenantId: string): Promise<ExportRow | undefined> =>
  selectExports(tx, tenantId).orderBy('id', 'desc').limit(1).executeTakeFirst()

/** The one that is not finished. */
export const findOpenExport = (tx: Tx, tenantId: string): Promise<ExportRow | undefined> =>
  selectExports(tx, tenantId).where('finished_at', 'is', null).executeTakeFirst()

export const findExport = (tx: Tx, tenantId: string, id: string): Promise<ExportRow | undefined> =>
  selectExports(tx, tenantId).where('id', '=', id).executeTakeFirst()

/** Locks the row until the transaction ends; undefined when it is gone. */
export const lockExport = (tx: Tx, tenantId: string, id: string): Promise<ExportRow | undefined> =>
  selectExports(tx, tenantId).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** Waits for a transaction that is inserting one; undefined when one is not finished. */
export const insertExport = (tx: Tx, row: Insertable<TenantExportTable>): Promise<ExportRow | undefined> =>
  tx
    .insertInto('tenant_exports')
    .values(row)
    .onConflict((open) => open.columns(['tenant_id']).where('finished_at', 'is', null).doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateExport = (tx: Tx, { tenant_id, id }: ExportKey, change: ExportChange): Promise<ExportRow> =>
  tx
    .updateTable('tenant_exports')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** How far an attempt has come, unless another one has begun, or it is over. False: it is. */
export async function updateProgress(
  tx: Tx,
  { tenant_id, id, attempts }: Pick<ExportRow, 'tenant_id' | 'id' | 'attempts'>,
  progress: Progress & { updated_at: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('tenant_exports')
    .set(progress)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('finished_at', 'is', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Has all finished ones but this end now. */
export const updateOlderEnd = (tx: Tx, { tenant_id, id }: ExportKey, now: string): Promise<unknown> =>
  tx
    .updateTable('tenant_exports')
    .set({ expires_at: now, updated_at: now })
    .where('tenant_id', '=', tenant_id)
    .where('id', '<>', id)
    .where('expires_at', '>', now)
    .execute()

export const listExpired = (tx: Tx, tenantId: string, now: string): Promise<ExportRow[]> =>
  selectExports(tx, tenantId).where('expires_at', '<=', now).orderBy('id').execute()

/** Only what has expired: never one that is being written. */
export const deleteExpired = (tx: Tx, { tenant_id, id }: ExportKey, now: string): Promise<unknown> =>
  tx
    .deleteFrom('tenant_exports')
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('expires_at', '<=', now)
    .execute()

/** Across tenants, by their ids: those that have something to remove. */
export async function listTenantsWithExpired(tx: Tx, now: string, { after, limit }: SweepPage) {
  const query = tx
    .selectFrom('tenant_exports')
    .select('tenant_id')
    .distinct()
    .where('expires_at', '<=', now)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Across tenants, by key after a given one: files that are in another storage than `to`. */
export async function listExportsElsewhere(
  tx: Tx,
  {
    to,
    from,
    tenantId,
    after,
    limit,
  }: { to: string; from: string | null; tenantId: string | null; after: string | null; limit: number },
) {
  let query = tx
    .selectFrom('tenant_exports')
    .select(['tenant_id', 'id', 'storage_backend', 'storage_path', 'size'])
    .where('storage_path', 'is not', null)
    .where(sql<boolean>`storage_backend <> ${to}`)
    .orderBy('storage_path')
    .limit(limit)
  if (from !== null) query = query.where(sql<boolean>`storage_backend = ${from}`)
  if (tenantId !== null) query = query.where('tenant_id', '=', tenantId)
  return (after === null ? query : query.where('storage_path', '>', after)).execute()
}

/** Has the row name another storage, unless it does already; undefined when it does, or is gone. */
export const updateBackend = (
  tx: Tx,
  { tenant_id, id }: ExportKey,
  { from, to, now }: { from: 'local' | 's3'; to: 'local' | 's3'; now: string },
): Promise<ExportRow | undefined> =>
  tx
    .updateTable('tenant_exports')
    .set({ storage_backend: to, updated_at: now })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('storage_backend', '=', from)
    .returningAll()
    .executeTakeFirst()
