import { type Ctx, conflict, DAYS, fromNow, outsideTenants } from '#kernel'
import { deleteTenant, restoreTenant } from '../tenants/index.ts'
import { tenantDeletedByOperator } from './events.ts'
import { plannedMail } from './mails.ts'
import { deleteRemoval, findRemoval, insertRemoval } from './queries.ts'
import { type PlannedRemoval, presentRemoval, type TenantRemoval } from './schema.ts'
import { mailOwners, withdrawMails } from './tell-owners.ts'

/** For so long a removal can be undone. The door in the database is closed for as long, by its own clock. */
export const GRACE_MS = 30 * DAYS

/**
 * Has the tenant of the context removed in thirty days: everybody is kept out from the next request on, and what it has to do waits. Its
 * owners are told. Takes a transaction of the system role. Throws what `deleteTenant` throws.
 */
export async function planRemoval(ctx: Ctx, reason: string | null): Promise<PlannedRemoval> {
  const { id, name, slug } = await deleteTenant(ctx, reason)
  const purge_at = fromNow(ctx.clock, GRACE_MS)
  const { type, id: actorId, label } = ctx.actor
  await insertRemoval(ctx.tx, {
    tenant_id: id,
    requested_at: ctx.clock.now(),
    requested_by_type: type,
    requested_by_id: actorId,
    requested_by_label: label,
    reason,
    purge_at,
  })
  await mailOwners(ctx, plannedMail, { tenantName: name, at: purge_at })
  const after = { id, name, slug, reason, purge_at, sha256: null }
  await outsideTenants(ctx).emit(tenantDeletedByOperator, { after })
  return { purge_at }
}

/**
 * Undoes it: the tenant is what it was before, and what has waited goes on. Takes a transaction of the system role. Throws 404 for no
 * tenant, 409 `conflict` for one that is not deleted, or whose data is being removed already.
 */
export async function undoRemoval(ctx: Ctx): Promise<void> {
  // Locks the tenant, as does whoever begins.
  await restoreTenant(ctx)
  const removal = await findRemoval(ctx.tx, ctx.tenantId)
  // Deleted by hand, before there were removals.
  if (!removal) return
  if (removal.begun_at !== null) throw conflict({ detail: 'Its data is being removed already: that cannot be undone' })
  await withdrawMails(ctx, removal)
  await deleteRemoval(ctx.tx, removal)
}

/** How far the removal of the tenant of the context has come; null: it is not to be removed. As the system role. */
export async function readRemoval(ctx: Ctx): Promise<TenantRemoval | null> {
  const removal = await findRemoval(ctx.tx, ctx.tenantId)
  return removal ? presentRemoval(removal) : null
}

/** Throws 409 `conflict` when data of the tenant of the context is being removed already. As the system role. */
export async function requireWhole(ctx: Ctx): Promise<void> {
  const removal = await findRemoval(ctx.tx, ctx.tenantId)
  if (removal && removal.begun_at !== null) throw conflict({ detail: 'Its data is being removed already' })
}
