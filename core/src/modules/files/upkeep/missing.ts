import type { Ctx } from '#kernel'
import { fileLost } from '../events.ts'
import { presentFile } from '../present.ts'
import { findFile } from '../queries.ts'
import type { FileRow } from '../table.ts'
import { updateFound, updateMissing } from './sweep-queries.ts'

/** Which file, and which storage was looked at. */
type Seen = Pick<FileRow, 'id' | 'storage_backend'>

/**
 * Notes, once however many notice it at the same time, that the storage is without a file: whoever looks at it is told, and
 * the operator by the log. Nothing where it is gone or elsewhere by now.
 */
export async function noteMissing(ctx: Ctx, seen: Seen): Promise<void> {
  const before = await findFile(ctx.tx, ctx.tenantId, seen.id)
  const after = await updateMissing(ctx.tx, ctx.tenantId, { ...seen, now: ctx.clock.now() })
  if (!before || !after) return
  await ctx.emit(fileLost, {
    before: presentFile(ctx, before),
    after: presentFile(ctx, after),
    label: after.filename,
    storeId: after.store_id,
  })
}

/** Notes that it is there again. */
export async function noteFound(ctx: Ctx, { id }: Pick<FileRow, 'id'>): Promise<void> {
  await updateFound(ctx.tx, ctx.tenantId, { id, now: ctx.clock.now() })
}
