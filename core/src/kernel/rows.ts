import type { Ctx } from './context.ts'
import { newId } from './ids.ts'

/** What a new tenant-owned row starts with. */
export function stamp(ctx: Ctx): { tenant_id: string; id: string; created_at: string; updated_at: string } {
  return { tenant_id: ctx.tenantId, ...newRow(ctx) }
}

/** What a new global row starts with. */
export function newRow(ctx: Ctx): { id: string; created_at: string; updated_at: string } {
  const now = ctx.clock.now()
  return { id: newId(), created_at: now, updated_at: now }
}

/**
 * Consumes of a plan limit, after the work and inside its transaction: for manual routes, jobs, and work that makes more
 * than one. A route that declares `limit` and is not manual has it consumed by the kernel. Throws 402
 * `plan_limit_reached` when that was too many.
 */
export async function consume(ctx: Ctx, limit: string, amount = 1): Promise<void> {
  await ctx.registry.allowances?.consumed(ctx, limit, amount)
}

/** Gives back what was consumed of a limit of the kind "in this period": the work was undone. */
export async function release(ctx: Ctx, limit: string, amount = 1): Promise<void> {
  await ctx.registry.allowances?.released?.(ctx, limit, amount)
}

/**
 * Throws 402 `subscription_inactive` when the tenant may only read. For work that reaches into a tenant from outside of it,
 * where no route of the tenant's asks: accepting an invitation. `limit`: what the work is going to consume.
 */
export async function requireWritable(ctx: Ctx, limit?: string): Promise<void> {
  await ctx.registry.allowances?.requireWritable?.(ctx, limit)
}
