import { type SweepPage, sql, type Tx } from '#kernel'
import type { FileRow } from './table.ts'

/** Removes files that were put into the trash up to a moment; never more than `limit`. */
export function deleteTrashed(tx: Tx, tenantId: string, before: string, limit: number): Promise<FileRow[]> {
  const chosen = tx
    .selectFrom('files')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('trashed_at', '<=', before)
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
  return tx
    .deleteFrom('files')
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', chosen)
    .where('trashed_at', '<=', sql<string>`${before}`)
    .returningAll()
    .execute()
}

/** Tenants with files that were put into the trash before. Reads across tenants: for the system role. */
export function listTenantsWithTrash(
  tx: Tx,
  before: string,
  { after, limit }: SweepPage,
): Promise<{ tenant_id: string }[]> {
  let query = tx.selectFrom('files').select('tenant_id').distinct().where('trashed_at', '<=', before)
  if (after !== null) query = query.where('tenant_id', '>', after)
  return query.orderBy('tenant_id').limit(limit).execute()
}

/** Whose files: those of one thing, or all of a store. */
export interface Whose {
  entity_type?: string | undefined
  entity_id?: string | undefined
  store_id?: string | undefined
}

/** Files outside of the trash, locked; never more than `limit`. Without a name of whose it gives none. */
export function lockFilesOf(
  tx: Tx,
  tenantId: string,
  { entity_type, entity_id, store_id }: Whose,
  limit: number,
): Promise<FileRow[]> {
  const query = tx.selectFrom('files').selectAll().where('tenant_id', '=', tenantId).where('trashed_at', 'is', null)
  const of =
    store_id === undefined
      ? query.where(sql<boolean>`entity_id = ${entity_id ?? null} and entity_type = ${entity_type ?? null}`)
      : query.where('store_id', '=', store_id)
  return of.orderBy('id').limit(limit).forUpdate().execute()
}

export async function updateTrashed(tx: Tx, tenantId: string, ids: readonly string[], now: string): Promise<void> {
  if (ids.length === 0) return
  await tx
    .updateTable('files')
    .set({ trashed_at: now, updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ids)
    .execute()
}
