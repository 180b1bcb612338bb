import { type Backend, type Ctx, copyBetween, FileMissing, type FileStorage } from '#kernel'
import { deleteCopies } from './jobs.ts'
import { findPicture, listElsewhere, updateBackend } from './queries.ts'

/** Pictures whose files are in another storage than this one, by id, after a given one. As the system role. */
export const listPicturesElsewhere = (
  ctx: Ctx,
  backend: Backend,
  page: { after: string | null; limit: number },
): Promise<string[]> =>
  ctx.transaction(({ tx }) => listElsewhere(tx, backend, page), { role: 'system', tenantId: null, readOnly: true })

/**
 * Moves the files of a picture to another storage: it is seen all the time. What is left behind goes by a job. Interrupted at any point and repeated, it
 * goes on. False when there was nothing to move: it is there already, or nobody shows it any more.
 */
export async function movePicture(ctx: Ctx, id: string, to: Backend): Promise<boolean> {
  const all = { role: 'system', tenantId: null } as const // a literal of TransactionOptions
  const picture = await ctx.transaction(({ tx }) => findPicture(tx, id, 'attached'), { ...all, readOnly: true })
  if (!picture || picture.storage_backend === to) return false
  const [first, next] = [ctx.storages.of(picture.storage_backend), ctx.storages.of(to)]
  const isWhole = await copyAll(first, next, id)
  return ctx.transaction(async (ctx) => {
    const isMoved = isWhole && (await updateBackend(ctx.tx, id, picture.storage_backend, to))
    // Whichever nobody reads from here on goes after the commit, whatever becomes of this process.
    await ctx.enqueue(deleteCopies, { id, backend: (isMoved ? first : next).backend })
    return isMoved
  }, all)
}

/** False when one of them is gone: its owner took the picture away meanwhile. */
async function copyAll(from: FileStorage, to: FileStorage, id: string): Promise<boolean> {
  const keys: string[] = []
  for await (const { key } of from.list(`pictures/${id}`)) keys.push(key)
  try {
    for (const key of keys) await copyBetween(from, to, key, { contentType: `image/${key.split('.').at(-1)}` })
    return true
  } catch (error) {
    if (error instanceof FileMissing) return false
    throw error
  }
}
