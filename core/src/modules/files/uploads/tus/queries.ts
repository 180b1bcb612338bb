import { sql, type Tx } from '#kernel'
import type { UploadRow } from '../../table.ts'
import { untilAtMost } from '../longest.ts'
import type { Times } from '../writer-queries.ts'

type Named = Pick<UploadRow, 'tenant_id' | 'id'>

const one = (tx: Tx, { tenant_id, id }: Named) =>
  tx.updateTable('file_uploads').where('tenant_id', '=', tenant_id).where('id', '=', id).where('kind', '=', 'tus')

/** A resumable upload of whoever began it that has not ended; undefined where there is none. */
export function findOwn(
  tx: Tx,
  { tenant_id, id }: Named,
  by: { begunBy: string; now: string },
): Promise<UploadRow | undefined> {
  return tx
    .selectFrom('file_uploads')
    .selectAll()
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('kind', '=', 'tus')
    .where('begun_by', '=', by.begunBy)
    .where('expires_at', '>', by.now)
    .executeTakeFirst()
}

/** An upload, once nobody changes it any more; undefined when it was given up or has become a file. */
export function lockAny(tx: Tx, { tenant_id, id }: Named): Promise<UploadRow | undefined> {
  return tx
    .selectFrom('file_uploads')
    .selectAll()
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

/** Makes somebody the writer, who has shown no byte yet, at this offset and where nobody else is one, and gives the next piece its number. */
export function updateWriter(
  tx: Tx,
  upload: Named,
  { offset, begunBy, ...change }: Omit<Times, 'expires_at'> & { writer: string; offset: number; begunBy: string },
): Promise<UploadRow | undefined> {
  return one(tx, upload)
    .set({ ...change, pieces: sql<number>`pieces + 1` })
    .where('begun_by', '=', begunBy)
    .where('received', '=', offset)
    .where('expires_at', '>', change.updated_at)
    .where((is) => is.or([is('writer', 'is', null), is('writer_until', '<', change.updated_at)]))
    .returningAll()
    .executeTakeFirst()
}

/** Keeps a piece, as long as the writer is one; undefined afterwards. */
export function updateKept(
  tx: Tx,
  { received, writer, ...upload }: UploadRow,
  { bytes, piece, expires_at, ...times }: Times & { bytes: number; piece: string },
): Promise<UploadRow | undefined> {
  return one(tx, upload)
    .set({
      ...times,
      expires_at: untilAtMost(expires_at),
      received: received + bytes,
      pieces: sql<number>`pieces + 1`,
      kept: sql<string[]>`array_append(kept, ${piece}::text)`,
    })
    .where('writer', '=', writer)
    .where('received', '=', received)
    .returningAll()
    .executeTakeFirst()
}
