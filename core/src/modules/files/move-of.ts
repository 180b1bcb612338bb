import { Closed, type Ctx, defineJob, fromNow, MINUTES, Nullable, Type, Uuid } from '#kernel'
import { fileUpdated } from './events.ts'
import { lockFilesElsewhere, updateStoreOfFiles, updateStoreOfUploads } from './move-of-queries.ts'
import { presentFile } from './present.ts'
import { findFile } from './queries.ts'
import type { Owner } from './rules.ts'
import type { FileRow } from './table.ts'

/** Events of one transaction; the files themselves move all at once. */
const BATCH = 200
/** By then every upload that had found the thing where it was has ended, or finds it where it is. */
const LOOK_AGAIN_MS = 10 * MINUTES

/**
 * Has all files of a thing, those in the trash and uploads under way too, belong to another store (null: to none), in the
 * transaction that changes the store of the thing: people of that store see them from then on, and they stay when the one
 * before is deleted. Each file gets its event `file.updated`; so many at once, the rest in jobs. For modules whose things
 * have files and change their store.
 */
export async function moveFilesOf(
  ctx: Ctx,
  entityType: string,
  entityId: string,
  storeId: string | null,
): Promise<void> {
  await moveAll(ctx, { type: entityType, id: entityId }, storeId)
  const thing = { entity_type: entityType, entity_id: entityId }
  await ctx.enqueue(moveLate, thing, { runAt: fromNow(ctx.clock, LOOK_AGAIN_MS) })
}

/** Moves what an upload that had found the thing before has made since. */
export const moveLate = defineJob('files.move_of', {
  payload: Closed({ entity_type: Type.String(), entity_id: Uuid }),
  handler: async (ctx, { entity_type: type, entity_id: id }) => {
    // Where it is now: it may have changed its store once more.
    const found = await ctx.registry.files.get(type)?.find(ctx, id)
    if (found) await moveAll(ctx, { type, id }, found.storeId)
  },
})

export const tellMoved = defineJob('files.tell_moved', {
  payload: Closed({ moved: Type.Array(Closed({ id: Uuid, from: Nullable(Uuid) })), to: Nullable(Uuid) }),
  handler: async (ctx, { moved, to }) => {
    for (const { id, from } of moved) {
      const file = await findFile(ctx.tx, ctx.tenantId, id)
      if (file) await tell(ctx, { ...file, store_id: from }, to)
    }
  },
})

async function moveAll(ctx: Ctx, owner: Owner, to: string | null): Promise<void> {
  const { tx, tenantId } = ctx
  const before = await lockFilesElsewhere(tx, tenantId, owner, to)
  const now = ctx.clock.now()
  await updateStoreOfUploads(tx, tenantId, owner, { to, now })
  if (before.length === 0) return
  await updateStoreOfFiles(tx, tenantId, before, { to, now })
  for (const file of before.slice(0, BATCH)) await tell(ctx, file, to, now)
  for (let at = BATCH; at < before.length; at += BATCH) {
    const moved = before.slice(at, at + BATCH).map(({ id, store_id }) => ({ id, from: store_id }))
    await ctx.enqueue(tellMoved, { moved, to })
  }
}

async function tell(ctx: Ctx, file: FileRow, to: string | null, now = file.updated_at): Promise<void> {
  const after = presentFile(ctx, { ...file, store_id: to, updated_at: now })
  await ctx.emit(fileUpdated, { before: presentFile(ctx, file), after, label: file.filename, storeId: to })
}
