import { sql, type Tx } from '#kernel'
import type { Owner } from './rules.ts'
import type { FileRow } from './table.ts'

interface Change {
  to: string | null
  now: string
}

/** All files of a thing that belong to another store than this one, in the trash too, locked. */
export function lockFilesElsewhere(
  tx: Tx,
  tenantId: string,
  { type, id }: Owner,
  storeId: string | null,
): Promise<FileRow[]> {
  return tx
    .selectFrom('files')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('entity_id', '=', id)
    .where('entity_type', '=', type)
    .where('store_id', 'is distinct from', storeId)
    .orderBy('id')
    .forUpdate()
    .execute()
}

export async function updateStoreOfFiles(
  tx: Tx,
  tenantId: string,
  files: readonly Pick<FileRow, 'id'>[],
  { to, now }: Change,
): Promise<void> {
  const ids = files.map(({ id }) => id)
  await tx
    .updateTable('files')
    .set({ store_id: to, updated_at: now })
    .where('tenant_id', '=', tenantId)
    // One parameter, however many they are.
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .execute()
}

/** Of uploads under way: the file gets the store of its upload. */
export async function updateStoreOfUploads(
  tx: Tx,
  tenantId: string,
  { type, id }: Owner,
  { to, now }: Change,
): Promise<void> {
  await tx
    .updateTable('file_uploads')
    .set({ store_id: to, updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('entity_id', '=', id)
    .where('entity_type', '=', type)
    .where('store_id', 'is distinct from', to)
    .execute()
}
