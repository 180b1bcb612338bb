import { Closed, type Ctx, DAYS, defineJob, every, everyTenant, fromNow, release, Timestamp } from '#kernel'
import { fileDeleted } from './events.ts'
import { presentFile } from './present.ts'
import type { FileRow } from './table.ts'
import { deleteTrashed, listTenantsWithTrash } from './trash-queries.ts'
import { deleteObject } from './upkeep/objects.ts'
import { STORAGE } from './uploads/reservation.ts'

/** How long a file can be restored. */
const KEPT_MS = 30 * DAYS
/** Files removed in one transaction. */
const BATCH = 200
/** Of one tenant in one run of the clock; the next run takes the next ones. */
const BATCHES = 50

/** Removes everything that is in the trash now: so much at once, and the rest in jobs. */
export async function emptyTrash(ctx: Ctx): Promise<undefined> {
  await removeTrash(ctx, { before: ctx.clock.now() })
}

export const emptyMore = defineJob('files.empty_trash', {
  payload: Closed({ before: Timestamp }),
  handler: (ctx, payload) => removeTrash(ctx, payload),
})

async function removeTrash(ctx: Ctx, payload: { before: string }): Promise<void> {
  // Never what was put there since.
  const removed = await purge(ctx, payload.before)
  if (removed === BATCH) await ctx.enqueue(emptyMore, payload)
}

/** Every hour: removes what has been in the trash for 30 days. */
export const purgeTrash = every('12 * * * *', 'files.purge_trash', async (ctx) => {
  const before = fromNow(ctx.clock, -KEPT_MS)
  for (let batch = 0, isMore = true; isMore && batch < BATCHES; batch++) {
    isMore = false
    await everyTenant(ctx, {
      name: 'files.purge_trash',
      list: (tx, page) => listTenantsWithTrash(tx, before, page),
      work: async (ctx) => {
        if ((await purge(ctx, before)) === BATCH) isMore = true
      },
    })
  }
})

/** Removes files for good, in a transaction: their rows and their part of the quota; what is stored goes after the commit. */
async function purge(ctx: Ctx, before: string): Promise<number> {
  const removed = await deleteTrashed(ctx.tx, ctx.tenantId, before, BATCH)
  for (const file of removed) await forget(ctx, file)
  const bytes = removed.reduce((sum, { size }) => sum + size, 0)
  if (bytes > 0) await release(ctx, STORAGE, bytes)
  return removed.length
}

async function forget(ctx: Ctx, file: FileRow): Promise<void> {
  await ctx.emit(fileDeleted, { before: presentFile(ctx, file), label: file.filename, storeId: file.store_id })
  await ctx.enqueue(deleteObject, { backend: file.storage_backend, path: file.storage_path })
}
