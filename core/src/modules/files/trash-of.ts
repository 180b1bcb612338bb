import { Closed, type Ctx, defineJob, fromNow, MINUTES, Type, Uuid, within } from '#kernel'
import { storeDeleted } from '../stores/index.ts'
import { fileTrashed } from './events.ts'
import { presentFile } from './present.ts'
import { lockFilesOf, updateTrashed, type Whose } from './trash-queries.ts'

/** Files put into the trash in one transaction. */
const BATCH = 200
/** By then every upload that had found the thing has ended, or finds it no more. */
const LOOK_AGAIN_MS = 10 * MINUTES

/**
 * Puts all files of a thing into the trash, in the transaction that deletes it: nobody could see them any more, and they would
 * count in the quota for ever. So many at once, and the rest in jobs. For modules whose things have files.
 */
export function trashFilesOf(ctx: Ctx, entityType: string, entityId: string): Promise<void> {
  return trashAll(ctx, { entity_type: entityType, entity_id: entityId })
}

/** A store takes its own files along, and those of whatever was in it. */
export const trashFilesOfStore = within(storeDeleted, 'files.trash_of_store', async (ctx, { resourceId }) => {
  if (resourceId === null) return
  await trashFilesOf(ctx, 'store', resourceId)
  await trashAll(ctx, { store_id: resourceId })
})

export const trashMore = defineJob('files.trash_of', {
  payload: Closed({
    entity_type: Type.Optional(Type.String()),
    entity_id: Type.Optional(Uuid),
    store_id: Type.Optional(Uuid),
  }),
  handler: async (ctx, whose) => {
    if ((await trashSome(ctx, whose)) === BATCH) await ctx.enqueue(trashMore, whose)
  },
})

async function trashAll(ctx: Ctx, whose: Whose): Promise<void> {
  if ((await trashSome(ctx, whose)) === BATCH) await ctx.enqueue(trashMore, whose)
  // An upload may be about to end that has found the thing a moment ago.
  await ctx.enqueue(trashMore, whose, { runAt: fromNow(ctx.clock, LOOK_AGAIN_MS) })
}

async function trashSome(ctx: Ctx, whose: Whose): Promise<number> {
  const now = ctx.clock.now()
  const before = await lockFilesOf(ctx.tx, ctx.tenantId, whose, BATCH)
  await updateTrashed(
    ctx.tx,
    ctx.tenantId,
    before.map(({ id }) => id),
    now,
  )
  for (const file of before) {
    const after = presentFile(ctx, { ...file, trashed_at: now, updated_at: now })
    const content = { before: presentFile(ctx, file), after, label: file.filename, storeId: file.store_id }
    await ctx.emit(fileTrashed, content)
  }
  return before.length
}
