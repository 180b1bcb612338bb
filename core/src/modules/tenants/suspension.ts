import { type Ctx, conflict, notFound } from '#kernel'
import { incomplete } from './errors.ts'
import { suspensionBegun, suspensionEnded } from './events.ts'
import { presentTenant } from './present.ts'
import { findIncompleteTenant, lockTenantIfThere, updateTenantStatus } from './queries.ts'
import type { TenantRecord } from './table.ts'

/**
 * Keeps everybody out of the tenant of the context: from the next request on, in every process, each of theirs is 403
 * `tenant_suspended`. Nothing is lost, and its jobs go on. Takes a transaction of the system role. Throws 404 for no
 * tenant, 409 `conflict` for one that is suspended already, or deleted.
 */
export async function suspendTenant(ctx: Ctx, reason: string): Promise<TenantRecord> {
  const before = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!before) throw notFound()
  if (before.status !== 'active') throw conflict({ detail: `The tenant is ${before.status} already` })
  const now = ctx.clock.now()
  const after = await updateTenantStatus(ctx.tx, before.id, {
    status: 'suspended',
    suspended_at: now,
    suspended_reason: reason,
    updated_at: now,
  })
  await ctx.emit(suspensionBegun, recordStatus(ctx, before, after, reason))
  await ctx.forget({ tenantId: before.id })
  return after
}

/** Lets everybody in again. Throws 404 for no tenant, 409 `conflict` for one that is not suspended, or not all there yet. */
export async function reactivateTenant(ctx: Ctx): Promise<TenantRecord> {
  const before = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!before) throw notFound()
  if (before.status !== 'suspended') throw conflict({ detail: `The tenant is ${before.status}, not suspended` })
  if (await findIncompleteTenant(ctx.tx, before.id)) throw incomplete()
  const after = await updateTenantStatus(ctx.tx, before.id, {
    status: 'active',
    suspended_at: null,
    suspended_reason: null,
    updated_at: ctx.clock.now(),
  })
  await ctx.emit(suspensionEnded, recordStatus(ctx, before, after, null))
  await ctx.forget({ tenantId: before.id })
  return after
}

/** What is recorded of a change of the status. */
export const recordStatus = (ctx: Ctx, before: TenantRecord, after: TenantRecord, reason: string | null) => ({
  before: { ...presentTenant(ctx, before), reason: null },
  after: { ...presentTenant(ctx, after), reason },
})
