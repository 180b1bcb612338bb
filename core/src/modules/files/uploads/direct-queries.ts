import { newId, sql, type Tx } from '#kernel'
import type { UploadRow } from '../table.ts'
import { untilAtMost } from './longest.ts'
import type { Times } from './writer-queries.ts'

type Named = Pick<UploadRow, 'tenant_id' | 'id'>

const one = (tx: Tx, { tenant_id, id }: Named) =>
  tx.updateTable('file_uploads').where('tenant_id', '=', tenant_id).where('id', '=', id).where('kind', '=', 'direct')

/** Makes somebody the only one who sends or completes an upload; undefined where somebody else is, or it is gone. */
export function updateClaim(tx: Tx, upload: Named, { expires_at, ...times }: Times): Promise<UploadRow | undefined> {
  return one(tx, upload)
    .set({ ...times, expires_at: untilAtMost(expires_at), writer: newId() })
    .where((is) => is.or([is('writer', 'is', null), is('writer_until', '<', times.updated_at)]))
    .returningAll()
    .executeTakeFirst()
}

/**
 * Says once and for all what becomes of an upload: the SHA-256 of the first that anybody found. The upload with what was said;
 * undefined when somebody else goes on with it.
 */
export function updateFrozen(tx: Tx, { writer, ...upload }: UploadRow, sha256: string): Promise<UploadRow | undefined> {
  return one(tx, upload)
    .set({ kept: sql<string[]>`case when kept = '{}' then array[${sha256}::text] else kept end` })
    .where('writer', '=', writer)
    .returningAll()
    .executeTakeFirst()
}
