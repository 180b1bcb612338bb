import { type Backend, type SweepPage, sql, type Tx } from '#kernel'
import type { FileRow } from '../table.ts'

/** What a sweep needs to know of a file. */
export type Swept = Pick<
  FileRow,
  'tenant_id' | 'id' | 'size' | 'storage_backend' | 'storage_path' | 'missing_at' | 'updated_at'
>

const columns = ['tenant_id', 'id', 'size', 'storage_backend', 'storage_path', 'missing_at', 'updated_at'] as const // the literal names type the row

/** A page of a tenant's files, by id: the order of their keys. */
export function listSwept(
  tx: Tx,
  tenantId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<Swept[]> {
  let query = tx.selectFrom('files').select(columns).where('tenant_id', '=', tenantId)
  if (after !== null) query = query.where('id', '>', after)
  return query.orderBy('id').limit(limit).execute()
}

/** Whom objects may belong to. */
export interface Owners {
  /** The ids of uploads under way. */
  uploads: ReadonlySet<string>
  /** The keys of files. */
  paths: ReadonlySet<string>
}

/** Which of these ids are those of files, or of uploads under way. */
export async function listOwners(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Owners> {
  const { rows } = await sql<{ id: string; path: string | null }>`
    select id, storage_path as path from files where tenant_id = ${tenantId} and id = any(${ids}::uuid[])
    union all select id, null from file_uploads where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`.execute(tx)
  return {
    uploads: new Set(rows.flatMap(({ id, path }) => (path === null ? id : []))),
    paths: new Set(rows.flatMap(({ path }) => path ?? [])),
  }
}

/** How many files are in storages other than these. */
export async function countElsewhere(tx: Tx, tenantId: string, backends: readonly Backend[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from files where tenant_id = ${tenantId} and storage_backend <> all(${backends})`.execute(
    tx,
  )
  return rows[0]?.count ?? 0
}

/** Says that a file is in another storage now; undefined when it is not in `from` any more, or gone. */
export function updateBackend(
  tx: Tx,
  { tenant_id, id }: Pick<FileRow, 'tenant_id' | 'id'>,
  { from, to, now }: { from: Backend; to: Backend; now: string },
): Promise<FileRow | undefined> {
  return tx
    .updateTable('files')
    .set({ storage_backend: to, missing_at: null, updated_at: now })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('storage_backend', '=', from)
    .returningAll()
    .executeTakeFirst()
}

/** Says that the storage is without a file; undefined when that is known, or the file is gone or elsewhere. */
export function updateMissing(
  tx: Tx,
  tenantId: string,
  { id, storage_backend, now }: Pick<FileRow, 'id' | 'storage_backend'> & { now: string },
): Promise<FileRow | undefined> {
  return tx
    .updateTable('files')
    .set({ missing_at: now, updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('storage_backend', '=', storage_backend)
    .where('missing_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
}

/** Says that a file that was missing is there again. */
export function updateFound(tx: Tx, tenantId: string, { id, now }: { id: string; now: string }): Promise<unknown> {
  return tx
    .updateTable('files')
    .set({ missing_at: null, updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('missing_at', 'is not', null)
    .execute()
}

/** All tenants: one without a row may have objects. Reads across tenants: for the system role. */
export function listTenantsToSweep(tx: Tx, { after, limit }: SweepPage): Promise<{ tenant_id: string }[]> {
  let query = tx.selectFrom('tenants').select('id as tenant_id')
  if (after !== null) query = query.where('id', '>', after)
  return query.orderBy('id').limit(limit).execute()
}
