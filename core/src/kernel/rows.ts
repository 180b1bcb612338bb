import type { Ctx } from './context.ts'
import { newId } from './ids.ts'

/** The standard columns of a new row of a tenant. */
export function stamp(ctx: Ctx): { tenant_id: string; id: string; created_at: string; updated_at: string } {
  return { tenant_id: ctx.tenantId, ...newRow(ctx) }
}

/** The standard columns of a new global row. */
export function newRow(ctx: Ctx): { id: string; created_at: string; updated_at: string } {
  const now = ctx.clock.now()
  return { id: newId(), created_at: now, updated_at: now }
}

/**
 * Consumes a plan limit, after the work and in its transaction: for manual routes, jobs, and work that adds more than
 * one. For other routes with `limit` the kernel does this. Throws 402 `plan_limit_reached` when the limit is exceeded.
 */
export async function consume(ctx: Ctx, limit: string, amount = 1): Promise<void> {
  await ctx.registry.allowances?.consumed(ctx, limit, amount)
}

/** Returns consumption of a limit that is held in amounts, or counted by period, when the work was undone. */
export async function release(ctx: Ctx, limit: string, amount = 1): Promise<void> {
  await ctx.registry.allowances?.released?.(ctx, limit, amount)
}

/**
 * Counts anew how much of a limit that is held in amounts is in use: what a sweep mends. `count` reads it in this transaction,
 * while whoever consumes or releases any waits.
 */
export async function recount(ctx: Ctx, limit: string, count: () => Promise<number>): Promise<void> {
  await ctx.registry.allowances?.recounted?.(ctx, limit, count)
}

/**
 * Throws 402 `subscription_inactive` when the tenant may only read. For work that enters a tenant without a route of
 * it, such as accepting an invitation. `limit`: the limit that the work will consume.
 */
export async function requireWritable(ctx: Ctx, limit?: string): Promise<void> {
  await ctx.registry.allowances?.requireWritable?.(ctx, limit)
}
