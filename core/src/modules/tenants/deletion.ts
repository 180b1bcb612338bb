import { type Ctx, conflict, notFound, putToRest, wakeFromRest } from '#kernel'
import { incomplete } from './errors.ts'
import { suspensionEnded, tenantDeleted } from './events.ts'
import { findIncompleteTenant, lockTenantIfThere, updateTenantDeleted } from './queries.ts'
import { recordStatus } from './suspension.ts'
import type { TenantRecord } from './table.ts'

/**
 * Deletes the tenant of the context, as can be undone: from the next request on, in every process, everybody is kept out as of a
 * suspended one, and what it has to do waits. Takes a transaction of the system role. Throws 404 for no tenant, 409 `conflict`
 * for one that is deleted already, or not all there yet.
 */
export async function deleteTenant(ctx: Ctx, reason: string | null): Promise<TenantRecord> {
  const before = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!before) throw notFound()
  if (before.status === 'deleted') throw conflict({ detail: 'The tenant is deleted already' })
  // Whoever goes on with the import would open it again, with its removal still planned.
  if (await findIncompleteTenant(ctx.tx, before.id)) throw incomplete()
  const after = await updateTenantDeleted(ctx.tx, before.id, true, ctx.clock.now())
  await ctx.emit(tenantDeleted, recordStatus(ctx, before, after, reason))
  await putToRest(ctx)
  await ctx.forget({ tenantId: before.id })
  return after
}

/** Makes a deleted tenant what it was before: active, or suspended. Throws 404 for no tenant, 409 `conflict` for one that is not deleted. */
export async function restoreTenant(ctx: Ctx): Promise<TenantRecord> {
  const before = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!before) throw notFound()
  if (before.status !== 'deleted') throw conflict({ detail: `The tenant is ${before.status}, not deleted` })
  const after = await updateTenantDeleted(ctx.tx, before.id, false, ctx.clock.now())
  await ctx.emit(suspensionEnded, recordStatus(ctx, before, after, null))
  await wakeFromRest(ctx)
  await ctx.forget({ tenantId: before.id })
  return after
}
