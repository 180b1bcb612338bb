import { type Backend, sql, type Tx } from '#kernel'
import type { FileRow } from '../table.ts'

/** A file that is to be moved. */
export type Placed = Pick<FileRow, 'tenant_id' | 'id' | 'size' | 'storage_path'>

interface Wanted {
  to: Backend
  from: Backend | null
  tenantId: string | null
  after: Placed | null
  limit: number
}

/** A page of the files that are not in a storage, by tenant and id. Reads across tenants: for the system role. */
export function listToMove(tx: Tx, { to, from, tenantId, after, limit }: Wanted): Promise<Placed[]> {
  let query = tx
    .selectFrom('files')
    .select(['tenant_id', 'id', 'size', 'storage_path'])
    .where('storage_backend', '<>', to)
  if (from !== null) query = query.where('storage_backend', '=', from)
  if (tenantId !== null) query = query.where('tenant_id', '=', tenantId)
  if (after !== null) query = query.where(sql<boolean>`(tenant_id, id) > (${after.tenant_id}, ${after.id})`)
  return query.orderBy('tenant_id').orderBy('id').limit(limit).execute()
}
