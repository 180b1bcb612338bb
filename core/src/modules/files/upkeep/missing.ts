import type { Ctx } from '#kernel'
import { fileLost } from '../events.ts'
import { presentFile } from '../present.ts'
import { findFile, updateFile } from '../queries.ts'

/** Notes, once, that the storage is without a file: whoever looks at it is told, and the operator by the log. */
export async function noteMissing(ctx: Ctx, id: string): Promise<void> {
  const before = await findFile(ctx.tx, ctx.tenantId, id)
  if (!before || before.missing_at !== null) return
  const now = ctx.clock.now()
  const after = await updateFile(ctx.tx, before, { missing_at: now, updated_at: now })
  await ctx.emit(fileLost, {
    before: presentFile(ctx, before),
    after: presentFile(ctx, after),
    label: after.filename,
    storeId: after.store_id,
  })
}

/** Notes that it is there again. */
export async function noteFound(ctx: Ctx, id: string): Promise<void> {
  const file = await findFile(ctx.tx, ctx.tenantId, id)
  if (file?.missing_at) await updateFile(ctx.tx, file, { missing_at: null, updated_at: ctx.clock.now() })
}
