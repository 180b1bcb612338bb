import type { Tx } from '#kernel'
import type { UploadRow } from '../table.ts'
import { untilAtMost } from './longest.ts'

/** Until when a writer may go on, and the upload may stand still. */
export interface Times {
  writer_until: string
  expires_at: string
  updated_at: string
}

/** Of an upload that has a writer. */
type Written = Pick<UploadRow, 'tenant_id' | 'id' | 'writer'>

const one = (tx: Tx, { tenant_id, id, writer }: Written) =>
  tx.updateTable('file_uploads').where('tenant_id', '=', tenant_id).where('id', '=', id).where('writer', '=', writer)

/** Lets a writer go on, and its upload stand still until later where that is said. False: it is one no more. */
export async function updateTimes(
  tx: Tx,
  upload: Written,
  { expires_at, ...times }: Omit<Times, 'expires_at'> & { expires_at?: string },
): Promise<boolean> {
  const change = expires_at === undefined ? times : { ...times, expires_at: untilAtMost(expires_at) }
  const { numUpdatedRows } = await one(tx, upload).set(change).executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Lets others write. False: the upload is gone, or somebody else has gone on already. */
export async function deleteWriter(tx: Tx, upload: Written): Promise<boolean> {
  const { numUpdatedRows } = await one(tx, upload).set({ writer: null, writer_until: null }).executeTakeFirst()
  return numUpdatedRows > 0n
}
