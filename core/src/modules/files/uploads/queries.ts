import { type Insertable, type SweepPage, sql, type Tx } from '#kernel'
import type { UploadRow, UploadTable } from '../table.ts'
import { untilAtMost } from './longest.ts'

type Named = Pick<UploadRow, 'tenant_id' | 'id'>

export function insertUpload(tx: Tx, upload: Insertable<UploadTable>): Promise<UploadRow> {
  return tx.insertInto('file_uploads').values(upload).returningAll().executeTakeFirstOrThrow()
}

export function findUpload(tx: Tx, tenantId: string, id: string): Promise<UploadRow | undefined> {
  return selectUpload(tx, { tenant_id: tenantId, id }).executeTakeFirst()
}

const selectUpload = (tx: Tx, { tenant_id, id }: Named) =>
  tx.selectFrom('file_uploads').selectAll().where('tenant_id', '=', tenant_id).where('id', '=', id)

/** Adds to what an upload holds of the quota, and puts off its end; undefined when it was given up. */
export function updateReserved(
  tx: Tx,
  { tenant_id, id }: Named,
  { bytes, expires_at, updated_at }: { bytes: number; expires_at: string; updated_at: string },
): Promise<UploadRow | undefined> {
  return tx
    .updateTable('file_uploads')
    .set({ updated_at, expires_at: untilAtMost(expires_at), reserved: sql<number>`reserved + ${bytes}` })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export function updateUpload(
  tx: Tx,
  { tenant_id, id }: Named,
  change: Partial<UploadRow>,
): Promise<UploadRow | undefined> {
  return tx
    .updateTable('file_uploads')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** The upload as it was; undefined when there is none. */
export function deleteUpload(tx: Tx, { tenant_id, id }: Named): Promise<UploadRow | undefined> {
  return tx
    .deleteFrom('file_uploads')
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** Uploads of a tenant that ended before, oldest first; locked, without those that somebody else is at. */
export function lockExpired(tx: Tx, tenantId: string, before: string, limit: number): Promise<UploadRow[]> {
  return tx
    .selectFrom('file_uploads')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('expires_at', '<', before)
    .orderBy('expires_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()
}

/** Tenants with uploads that ended before. Reads across tenants: for the system role. */
export function listTenantsWithExpired(
  tx: Tx,
  before: string,
  { after, limit }: SweepPage,
): Promise<{ tenant_id: string }[]> {
  let query = tx.selectFrom('file_uploads').select('tenant_id').distinct().where('expires_at', '<', before)
  if (after !== null) query = query.where('tenant_id', '>', after)
  return query.orderBy('tenant_id').limit(limit).execute()
}
