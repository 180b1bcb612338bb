import { type Backend, type Insertable, sql, type Tx } from '#kernel'
import type { PictureRow, PictureTable } from './table.ts'

export const insertPicture = (tx: Tx, picture: Insertable<PictureTable>): Promise<unknown> =>
  tx.insertInto('pictures').values(picture).execute()

/** A picture; undefined for one in another state than the one given. */
export function findPicture(tx: Tx, id: string, state?: PictureRow['state']): Promise<PictureRow | undefined> {
  const query = tx.selectFrom('pictures').selectAll().where('id', '=', id)
  return (state === undefined ? query : query.where('state', '=', sql.lit(state))).executeTakeFirst()
}

/** Moves a picture on from one state; false when it is in another one. */
export async function updateState(
  tx: Tx,
  id: string,
  { from, to, now }: { from: PictureRow['state']; to: PictureRow['state']; now: string },
): Promise<boolean> {
  const moved = await tx
    .updateTable('pictures')
    .set({ state: to, updated_at: now })
    .where('id', '=', id)
    .where('state', '=', sql.lit(from))
    .returning('id')
    .executeTakeFirst()
  return moved !== undefined
}

export const deleteRemoved = (tx: Tx, id: string): Promise<unknown> =>
  tx.deleteFrom('pictures').where('id', '=', id).where('state', '=', sql.lit('removed')).execute()

export type Unattached = Pick<PictureRow, 'id' | 'updated_at'>

/** Pictures that nobody has shown since that moment, the oldest first, after a given one. */
export function listUnattached(
  tx: Tx,
  { before, after, limit }: { before: string; after: Unattached | null; limit: number },
): Promise<Unattached[]> {
  const query = tx
    .selectFrom('pictures')
    .select(['id', 'updated_at'])
    .where('state', '<>', sql.lit('attached'))
    .where('updated_at', '<', before)
    .orderBy('updated_at')
    .orderBy('id')
    .limit(limit)
  return (after ? query.where(sql<boolean>`(updated_at, id) > (${after.updated_at}, ${after.id})`) : query).execute()
}

/** Pictures that somebody shows and that are in another storage than `to`, or in `from` alone. */
export function listElsewhere(
  tx: Tx,
  { to, from, after, limit }: { to: Backend; from: Backend | null; after: string | null; limit: number },
): Promise<Pick<PictureRow, 'id' | 'storage_backend'>[]> {
  let query = tx
    .selectFrom('pictures')
    .select(['id', 'storage_backend'])
    .where('state', '=', sql.lit('attached'))
    .where('storage_backend', '<>', to)
  if (from !== null) query = query.where('storage_backend', '=', from)
  if (after !== null) query = query.where('id', '>', after)
  return query.orderBy('id').limit(limit).execute()
}

/** Says where the files of a picture are from here on; false when it is shown no more, or they were elsewhere. */
export async function updateBackend(tx: Tx, id: string, from: Backend, to: Backend): Promise<boolean> {
  const moved = await tx
    .updateTable('pictures')
    .set({ storage_backend: to })
    .where('id', '=', id)
    .where('state', '=', sql.lit('attached'))
    .where('storage_backend', '=', from)
    .returning('id')
    .executeTakeFirst()
  return moved !== undefined
}
