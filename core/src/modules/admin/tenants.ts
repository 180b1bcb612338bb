import { type Ctx, notFound, page } from '#kernel'
import { readThrottle } from '../load/index.ts'
import { getState, presentSubscription, readUsage } from '../subscriptions/index.ts'
import { presentListed } from './present.ts'
import { findAdminTenant, listAdminTenants } from './queries.ts'
import type { AdminTenant, ListedTenant, TenantFilter } from './schema.ts'

const NEWEST_FIRST = {
  by: [
    { column: 't.created_at', as: 'created_at' },
    { column: 't.id', as: 'id' },
  ],
} as const // the names are those of columns

/** One page of all tenants that match, the newest first. Called as the system role. */
export async function browseTenants(
  ctx: Ctx,
  filter: TenantFilter,
): Promise<{ data: ListedTenant[]; next_cursor: string | null }> {
  const { data, next_cursor } = await page(ctx, listAdminTenants(ctx.tx, filter), NEWEST_FIRST)
  return { data: data.map((row) => presentListed(ctx, row)), next_cursor }
}

/** Works in a tenant as the system role, in a transaction of its own: records of the tenant name the operator. */
export function inTenant<T>(ctx: Ctx, tenantId: string, work: (ctx: Ctx) => Promise<T>, readOnly = false): Promise<T> {
  return ctx.transaction(work, { role: 'system', tenantId: tenantId.toLowerCase(), readOnly })
}

/** The tenant of the context with what it has and uses. Throws 404 for none. */
export async function readTenant(ctx: Ctx): Promise<AdminTenant> {
  const row = await findAdminTenant(ctx.tx, ctx.tenantId)
  if (!row) throw notFound()
  const listed = { ...presentListed(ctx, row), throttle: await readThrottle(ctx) }
  // Every tenant gets a subscription sooner or later.
  if (row.plan_id === null) return { ...listed, subscription: null, usage: {} }
  const state = await getState(ctx)
  return { ...listed, subscription: presentSubscription(ctx, state), usage: await readUsage(ctx, state) }
}
