import { type Ctx, conflict, notFound, outsideTenants, type ThrottleSource } from '#kernel'
import { lockTenantIfThere, type TenantRecord } from '../tenants/index.ts'
import { tenantThrottled, tenantThrottledByOperator, tenantUnthrottled, tenantUnthrottledByOperator } from './events.ts'
import type { NewThrottle, Throttle, ThrottledTenant } from './schema.ts'
import type { ThrottleRow } from './table.ts'
import { deleteThrottle, findThrottleRow, upsertThrottle } from './throttle-queries.ts'

/** Answers the kernel's question who is held back. */
export const throttleSource: ThrottleSource = async (tx, tenantId) => {
  const row = await findThrottleRow(tx, tenantId)
  return row ? { requestsPerMinute: row.requests_per_minute, until: row.until } : null
}

/** What holds the tenant of the context back now; null: nothing. */
export async function readThrottle(ctx: Ctx): Promise<Throttle | null> {
  const row = await findThrottleRow(ctx.tx, ctx.tenantId)
  return row ? throttleIn(ctx, row) : null
}

type MaybeThrottle = { [name in keyof Throttle]: Throttle[name] | null }

/** The throttle in a row, where there is one and it is not over. */
export function throttleIn({ clock }: Pick<Ctx, 'clock'>, row: MaybeThrottle): Throttle | null {
  const { requests_per_minute, until, reason, created_at } = row
  if (requests_per_minute === null || reason === null || created_at === null) return null
  return until !== null && until <= clock.now() ? null : { requests_per_minute, until, reason, created_at }
}

// Both work on the tenant of the context, in a transaction of the system role, and leave two records: one in the tenant's own log,
// one in that of the installation. From the commit on every process goes by it.

/**
 * Holds a tenant to so many requests a minute and one job at a time, in the place of a throttle that there is. Throws 404 for no
 * tenant, 409 `conflict` for one that is deleted. What changes nothing leaves no record.
 */
export async function throttleTenant(ctx: Ctx, wanted: NewThrottle): Promise<Throttle> {
  // Locked, so that of several at once each tells what it found.
  const tenant = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  if (!tenant) throw notFound()
  if (tenant.status === 'deleted') throw conflict({ detail: 'The tenant is deleted' })
  const before = await readThrottle(ctx)
  const { requests_per_minute, until = null, reason } = wanted
  if (
    before &&
    before.requests_per_minute === requests_per_minute &&
    before.until === until &&
    before.reason === reason
  )
    return before
  const row: ThrottleRow = await upsertThrottle(ctx.tx, {
    tenant_id: tenant.id,
    requests_per_minute,
    until,
    reason,
    created_at: ctx.clock.now(),
  })
  const { tenant_id: _, ...after } = row
  const told = { ...(before && { before: record(tenant, before) }), after: record(tenant, after) }
  await ctx.emit(tenantThrottled, told)
  await outsideTenants(ctx).emit(tenantThrottledByOperator, told)
  await ctx.forget({ tenantId: tenant.id })
  return after
}

/** Ends it. Throws 404 for no tenant, or one that nothing holds back. */
export async function endThrottle(ctx: Ctx): Promise<void> {
  const tenant = await lockTenantIfThere(ctx.tx, ctx.tenantId)
  const before = tenant && (await readThrottle(ctx))
  if (!before) throw notFound()
  await deleteThrottle(ctx.tx, tenant.id)
  const told = { before: record(tenant, before) }
  await ctx.emit(tenantUnthrottled, told)
  await outsideTenants(ctx).emit(tenantUnthrottledByOperator, told)
  await ctx.forget({ tenantId: tenant.id })
}

const record = ({ id, name }: TenantRecord, { requests_per_minute, until, reason }: Throttle): ThrottledTenant => ({
  id,
  name,
  requests_per_minute,
  until,
  reason,
})
