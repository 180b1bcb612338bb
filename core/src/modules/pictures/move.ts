import { type Backend, type Ctx, copyBetween, FileMissing, type FileStorage, fromNow, HOURS, type Move } from '#kernel'
import { deleteCopies } from './jobs.ts'
import { lackOf, sizesOf } from './kept.ts'
import { findPicture, listElsewhere, updateBackend } from './queries.ts'
import type { PictureRow } from './table.ts'

/** Whoever has read the row a moment ago still finds the picture where that said. */
const GRACE_MS = 1 * HOURS
const ALL = { role: 'system', tenantId: null } as const // a literal of TransactionOptions

/** Pictures whose files are in another storage than `to`, or in `from` alone, by id, after a given one. As the system role. */
export const listPicturesElsewhere = (
  ctx: Ctx,
  page: { to: Backend; from: Backend | null; after: string | null; limit: number },
): Promise<Pick<PictureRow, 'id' | 'storage_backend'>[]> =>
  ctx.transaction(({ tx }) => listElsewhere(tx, page), { ...ALL, readOnly: true })

/**
 * Moves the files of a picture to another storage: it is seen all the time. What is left behind goes by a job, an hour later.
 * Interrupted at any point and repeated, it goes on. False when there was nothing to move: it is there already, or nobody
 * shows it any more. Throws, and changes nothing, when its storage does not have it or the other one did not take it whole.
 */
export async function movePicture(ctx: Ctx, { to, open }: Pick<Move, 'to' | 'open'>, id: string): Promise<boolean> {
  const picture = await findShown(ctx, id)
  if (!picture || picture.storage_backend === to.backend) return false
  const from = open(picture.storage_backend)
  let files: ReadonlyMap<string, number>
  try {
    files = await copyAll(from, to, id)
  } catch (error) {
    const now = await findShown(ctx, id)
    if (now?.storage_backend === picture.storage_backend) throw error instanceof FileMissing ? notThere(from) : error
    // Taken away or moved while it was read.
    return retire(ctx, id, to.backend)
  }
  return settle(ctx, { id, from, to, files })
}

/** Every file that the first storage has of it, the same bytes. An empty list is no picture: the disk may not be there. */
async function copyAll(from: FileStorage, to: FileStorage, id: string): Promise<ReadonlyMap<string, number>> {
  const files = await sizesOf(from, id)
  if (files.size === 0) throw notThere(from)
  for (const key of files.keys()) await copyBetween(from, to, key, { contentType: `image/${key.split('.').at(-1)}` })
  const lacked = await lackOf(to, id, files)
  if (lacked !== undefined) throw new Error(`the storage ${to.backend} did not keep ${lacked}`)
  return files
}

const notThere = ({ backend }: FileStorage) => new Error(`the storage ${backend} does not have it`)

interface Copied {
  id: string
  from: FileStorage
  to: FileStorage
  files: ReadonlyMap<string, number>
}

/** Has the row name the other storage, when nobody was quicker; the old copies go later. */
async function settle(ctx: Ctx, { id, from, to, files }: Copied): Promise<boolean> {
  const isMoved = await ctx.transaction(async (ctx) => {
    const isMoved = await updateBackend(ctx.tx, id, from.backend, to.backend)
    const runAt = fromNow(ctx.clock, GRACE_MS)
    if (isMoved) await ctx.enqueue(deleteCopies, { id, backend: from.backend }, { runAt })
    return isMoved
  }, ALL)
  if (!isMoved) return retire(ctx, id, to.backend)
  // The job of an earlier move may have removed what was seen there a moment ago.
  if ((await lackOf(to, id, files)) === undefined) return true
  if (!(await ctx.transaction(({ tx }) => updateBackend(tx, id, to.backend, from.backend), ALL))) return false
  throw new Error(`the storage ${to.backend} has lost it again`)
}

/** What was copied for nobody goes at once, unless somebody else has moved the picture there. Always false: it was not moved here. */
async function retire(ctx: Ctx, id: string, backend: Backend): Promise<false> {
  await ctx.transaction((ctx) => ctx.enqueue(deleteCopies, { id, backend }), ALL)
  return false
}

const findShown = (ctx: Ctx, id: string): Promise<PictureRow | undefined> =>
  ctx.transaction(({ tx }) => findPicture(tx, id, 'attached'), { ...ALL, readOnly: true })
