import {
  type Ctx,
  copyBetween,
  FileMissing,
  type FileStorage,
  fromNow,
  HOURS,
  isSame,
  type Movable,
  type Move,
  StorageDamaged,
  type StoredKind,
} from '#kernel'
import { findFile } from '../queries.ts'
import type { FileRow } from '../table.ts'
import { listToMove, type Placed } from './move-queries.ts'
import { contentOf, holds, isThere, retireCopy } from './objects.ts'
import { updateBackend } from './sweep-queries.ts'

const PAGE = 500
/** A download that has read the row a moment ago still finds the file where that said. */
const GRACE_MS = 1 * HOURS

/** Moves files, those in the trash and in quarantine too. What an upload is about to write is not there yet, and stays. */
export const storedFiles: StoredKind = {
  name: 'files',
  foldersOf: (tenantId) => [`files/${tenantId}`, `uploads/${tenantId}`],
  async *list(ctx, move) {
    for (let after: Placed | null = null; ; ) {
      const page = { to: move.to.backend, from: move.from, tenantId: move.tenantId, after, limit: PAGE }
      const files: Placed[] = await ctx.transaction(({ tx }) => listToMove(tx, page), {
        role: 'system',
        tenantId: null,
        readOnly: true,
      })
      for (const file of files) yield movable(ctx, move, file)
      after = files.at(-1) ?? null
      if (files.length < PAGE) return
    }
  },
}

const movable = (ctx: Ctx, move: Move, { tenant_id, id, size, storage_path }: Placed): Movable => ({
  key: storage_path,
  bytes: size,
  move: () => moveFile(ctx, move, { tenantId: tenant_id, id }),
})

interface Which {
  tenantId: string
  id: string
}

async function moveFile(ctx: Ctx, move: Move, which: Which): Promise<boolean> {
  const file = await find(ctx, which)
  const { to } = move
  if (!file || file.storage_backend === to.backend) return false
  const from = move.open(file.storage_backend)
  try {
    const expected = contentOf(file)
    const copied = await copyBetween(from, to, file.storage_path, { contentType: file.content_type, expected })
    if (!isSame(copied, expected)) throw new NotAsUploaded()
  } catch (error) {
    const now = await find(ctx, which)
    // Removed or moved while it was read.
    if (now?.storage_backend !== file.storage_backend) return leave(move, file, now)
    throw await failureOf(error, { from, to, file })
  }
  return settle(ctx, move, file)
}

interface Places {
  from: FileStorage
  to: FileStorage
  file: FileRow
}

/** What to say of a file that stays where it is. */
async function failureOf(error: unknown, { from, to, file }: Places): Promise<unknown> {
  const lacks = `the storage ${from.backend} does not have it`
  const isOther = 'holds is not what was uploaded (SHA-256)'
  if (error instanceof FileMissing) return new Error(lacks)
  if (error instanceof NotAsUploaded) return new Error(`${lacks}, and what ${to.backend} ${isOther}`)
  if (error instanceof StorageDamaged && !(await holds(from, file)))
    return new Error(`what the storage ${from.backend} ${isOther}`)
  return error
}

/** Has the row name the other storage, when nobody was quicker; the old copy goes later. */
async function settle(ctx: Ctx, move: Move, file: FileRow): Promise<boolean> {
  const { to } = move
  const { id, tenant_id: tenantId, storage_backend: from, storage_path: path } = file
  const moved = await ctx.transaction(
    async (ctx) => {
      const change = { from, to: to.backend, now: ctx.clock.now() }
      const after = await updateBackend(ctx.tx, file, change)
      if (after) await ctx.enqueue(retireCopy, { id, backend: from, path }, { runAt: fromNow(ctx.clock, GRACE_MS) })
      return after
    },
    { tenantId },
  )
  if (!moved) return leave(move, file, await find(ctx, { tenantId, id }))
  // Something else may have removed what was seen there a moment ago.
  if (await isThere(ctx, moved)) return true
  await ctx.transaction(({ tx, clock }) => updateBackend(tx, file, { from: to.backend, to: from, now: clock.now() }), {
    tenantId,
  })
  throw new Error(`the storage ${to.backend} has lost it again`)
}

/** Of a file that is gone no copy stays; one that somebody else has moved is theirs. Always false: it was not moved here. */
async function leave({ to }: Move, { storage_path }: FileRow, now: FileRow | undefined): Promise<false> {
  if (!now) await to.delete(storage_path)
  return false
}

const find = (ctx: Ctx, { tenantId, id }: Which): Promise<FileRow | undefined> =>
  ctx.transaction(({ tx }) => findFile(tx, tenantId, id), { tenantId, readOnly: true })

/** The storage of the row has nothing, and the other one something else. */
class NotAsUploaded extends Error {}
