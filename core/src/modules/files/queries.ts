import { containing, type Insertable, notFound, type SweepPage, sql, type Tx } from '#kernel'
import type { FileQuery } from './schema.ts'
import type { FileRow, FileTable } from './table.ts'

/** Of which kinds of things a caller sees the files: in all stores, or in some. */
export interface Sight {
  everywhere: readonly string[]
  inStores: readonly { type: string; stores: readonly string[] }[]
}

type Filter = Pick<FileQuery, 'entity_type' | 'entity_id' | 'content_type' | 'q' | 'trashed'>

/** Files, as far as the caller sees what they belong to; null: that was asked for the one thing that the filter names. */
export function listFiles(tx: Tx, tenantId: string, { trashed = false, ...filter }: Filter, sight: Sight | null) {
  let query = tx.selectFrom('files').selectAll().where('tenant_id', '=', tenantId)
  query = query.where('trashed_at', trashed ? 'is not' : 'is', null)
  if (filter.entity_type !== undefined) query = query.where('entity_type', '=', filter.entity_type)
  if (filter.entity_id !== undefined) query = query.where('entity_id', '=', filter.entity_id)
  if (filter.content_type !== undefined)
    query = filter.content_type.endsWith('/*')
      ? query.where('content_type', 'like', `${filter.content_type.slice(0, -1)}%`)
      : query.where('content_type', '=', filter.content_type)
  if (filter.q) query = query.where('filename', 'ilike', containing(filter.q))
  return sight === null ? query : query.where(isSeen(sight))
}

function isSeen({ everywhere, inStores }: Sight) {
  const some = inStores.map(({ type, stores }) => sql`(entity_type = ${type} and store_id = any(${stores}::uuid[]))`)
  const any = [sql`entity_type is null`, sql`entity_type = any(${everywhere}::text[])`, ...some]
  return sql<boolean>`(${sql.join(any, sql` or `)})`
}

export function findFile(tx: Tx, tenantId: string, id: string): Promise<FileRow | undefined> {
  return selectFile(tx, tenantId, id).executeTakeFirst()
}

/** Throws 404. */
export function getFile(tx: Tx, tenantId: string, id: string): Promise<FileRow> {
  return selectFile(tx, tenantId, id).executeTakeFirstOrThrow(() => notFound())
}

/** Throws 404. */
export function lockFile(tx: Tx, tenantId: string, id: string): Promise<FileRow> {
  return selectFile(tx, tenantId, id)
    .forUpdate()
    .executeTakeFirstOrThrow(() => notFound())
}

const selectFile = (tx: Tx, tenantId: string, id: string) =>
  tx.selectFrom('files').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id)

export function insertFile(tx: Tx, file: Insertable<FileTable>): Promise<FileRow> {
  return tx.insertInto('files').values(file).returningAll().executeTakeFirstOrThrow()
}

type Change = Partial<
  Pick<FileRow, 'filename' | 'is_public' | 'trashed_at' | 'scan_status' | 'storage_backend' | 'updated_at'>
>

export function updateFile(
  tx: Tx,
  { tenant_id, id }: Pick<FileRow, 'tenant_id' | 'id'>,
  change: Change,
): Promise<FileRow> {
  return tx
    .updateTable('files')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** When files that wait for the scanner are due to be looked at by the clock. */
export interface Due {
  now: string
  /** Those that are older, of which no scan has failed yet. */
  uploadedBefore: string
}

const isDue = ({ now, uploadedBefore }: Due) =>
  sql<boolean>`scan_status = 'pending' and (scan_retry_at <= ${now} or (scan_retry_at is null and created_at <= ${uploadedBefore}))`

/** Files of a tenant that wait for the scanner and are due, those first that have waited for longest. */
export function listUnscanned(
  tx: Tx,
  tenantId: string,
  { limit, ...due }: Due & { limit: number },
): Promise<Pick<FileRow, 'id'>[]> {
  const query = tx.selectFrom('files').select('id').where('tenant_id', '=', tenantId).where(isDue(due))
  return query.orderBy(sql`coalesce(scan_retry_at, created_at)`).orderBy('id').limit(limit).execute()
}

/** Says when the clock looks again at files whose scan has failed: nothing where they are gone, or scanned meanwhile. */
export async function updateScanRetry(tx: Tx, tenantId: string, ids: readonly string[], retryAt: string) {
  await tx
    .updateTable('files')
    .set({ scan_retry_at: retryAt })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .where('scan_status', '=', sql.lit('pending'))
    .execute()
}

/** Tenants with files that wait for the scanner and are due. Reads across tenants: for the system role. */
export function listTenantsUnscanned(tx: Tx, due: Due, { after, limit }: SweepPage): Promise<{ tenant_id: string }[]> {
  let query = tx.selectFrom('files').select('tenant_id').distinct().where(isDue(due))
  if (after !== null) query = query.where('tenant_id', '>', after)
  return query.orderBy('tenant_id').limit(limit).execute()
}

/** Serialises whoever adds files to one thing, until the transaction ends. */
export async function lockOwner(tx: Tx, tenantId: string, { type, id }: { type: string; id: string }): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`files:${tenantId}:${type}:${id}`}, 0))`.execute(tx)
}

/** How many files a thing has outside of the trash, counting up to `most`. */
export async function countFilesOf(
  tx: Tx,
  tenantId: string,
  { type, id }: { type: string; id: string },
  most: number,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from files where tenant_id = ${tenantId} and entity_type = ${type} and entity_id = ${id} and trashed_at is null limit ${most}
    ) as counted`.execute(tx)
  return rows[0]?.count ?? 0
}

/** What files and uploads of a tenant hold of its quota, in bytes. */
export async function countBytes(tx: Tx, tenantId: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (coalesce((select sum(size) from files where tenant_id = ${tenantId}), 0)
      + coalesce((select sum(reserved) from file_uploads where tenant_id = ${tenantId}), 0))::bigint as bytes`.execute(
    tx,
  )
  return rows[0]?.bytes ?? 0
}
