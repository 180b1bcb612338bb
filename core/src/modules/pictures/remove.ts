import type { Backend, Ctx, FileStorage } from '#kernel'
import { lackOf, sizesOf } from './kept.ts'
import { deleteRemoved, findPicture, updateBackend } from './queries.ts'

/** What the storage has of a picture that somebody shows, in bytes by key; null for one that nobody does. */
export async function measurePicture(
  ctx: Ctx,
  id: string,
): Promise<{ backend: Backend; sizes: Map<string, number> } | null> {
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id, 'attached'), { ...ALL, readOnly: true })
  if (!picture) return null
  const { storage_backend: backend } = picture
  return { backend, sizes: await sizesOf(ctx.storages.of(backend), id) }
}

const ALL = { role: 'system', tenantId: null } as const // a literal of TransactionOptions

/** Removes the files of a picture that nobody shows any more, then its row: as often as it takes. */
export async function removePicture(ctx: Ctx, id: string): Promise<void> {
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id, 'removed'), { readOnly: true })
  if (!picture) return
  const storage = ctx.storages.of(picture.storage_backend)
  await removeFiles(storage, await sizesOf(storage, id))
  await ctx.transaction(({ tx }) => deleteRemoved(tx, id))
}

/**
 * Removes the files of a picture in a storage that it is not read from: only once the other one was seen to have them all.
 * Where that has lost one, they are the picture again.
 */
export async function removeCopies(ctx: Ctx, id: string, backend: Backend): Promise<void> {
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id), { readOnly: true })
  // Moved back since.
  if (picture?.storage_backend === backend) return
  const storage = ctx.storages.of(backend)
  const copies = await sizesOf(storage, id)
  if (picture?.state === 'attached') {
    const lacked = await lackOf(ctx.storages.of(picture.storage_backend), id, copies)
    if (lacked !== undefined) return putBack(ctx, { id, from: picture.storage_backend, to: backend, lacked })
  }
  await removeFiles(storage, copies)
}

async function removeFiles(storage: FileStorage, files: ReadonlyMap<string, number>): Promise<void> {
  for (const key of files.keys()) await storage.delete(key)
}

interface PutBack {
  id: string
  from: Backend
  to: Backend
  lacked: string
}

async function putBack(ctx: Ctx, { id, from, to, lacked }: PutBack): Promise<void> {
  const isBack = await ctx.transaction(({ tx }) => updateBackend(tx, id, from, to), { role: 'system', tenantId: null })
  // It was removed or moved meanwhile: the next try finds what is to be done then.
  if (!isBack) throw new Error(`The picture ${id} is not where it was a moment ago`)
  ctx.log.error(
    { picture_id: id, storage_backend: from, key: lacked },
    'a storage has lost a picture that was moved to it: it is where it was before',
  )
}
