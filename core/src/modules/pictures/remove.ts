import type { Backend, Ctx, FileStorage } from '#kernel'
import { deleteRemoved, findPicture } from './queries.ts'

/** Removes the files of a picture that nobody shows any more, then its row: as often as it takes. */
export async function removePicture(ctx: Ctx, id: string): Promise<void> {
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id, 'removed'), { readOnly: true })
  if (!picture) return
  await removeFiles(ctx.storages.of(picture.storage_backend), id)
  await ctx.transaction(({ tx }) => deleteRemoved(tx, id))
}

/** Removes the files of a picture in a storage that it is not read from. */
export async function removeCopies(ctx: Ctx, id: string, backend: Backend): Promise<void> {
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id), { readOnly: true })
  // Moved back since.
  if (picture?.storage_backend !== backend) await removeFiles(ctx.storages.of(backend), id)
}

/** Whatever is there of a picture, also what an earlier version kept. */
async function removeFiles(storage: FileStorage, id: string): Promise<void> {
  const keys: string[] = []
  for await (const { key } of storage.list(`pictures/${id}`)) keys.push(key)
  for (const key of keys) await storage.delete(key)
}
