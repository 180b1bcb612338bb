import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { featureNotInPlan } from '../errors.ts'
import type { Route } from '../module.ts'

/**
 * Asks whether the tenant's plan allows what a route does: its feature, and writing at all unless the route is for inactive
 * subscriptions too. `limit`: what is going to be consumed, null for nothing. Throws 402. Asked in the transaction that does the work, beside its
 * first statement.
 */
export type PlanCheck = (ctx: Ctx, limit?: string | null) => Promise<void>

/** The check of a route; undefined when there is nothing to ask. */
export function planCheck({ registry }: Core, route: Route): PlanCheck | undefined {
  const { allowances } = registry
  const { feature } = route
  const requireWritable = route.whileInactive ? undefined : allowances?.requireWritable?.bind(allowances)
  if (!allowances || (!requireWritable && feature === undefined)) return undefined
  return async (ctx, limit = route.limit ?? null) => {
    const [, hasFeature] = await Promise.all([
      requireWritable?.(ctx, limit ?? undefined),
      feature === undefined || allowances.hasFeature(ctx, feature),
    ])
    if (!hasFeature) throw featureNotInPlan({ members: { feature } })
  }
}
