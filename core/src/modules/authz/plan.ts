import { type Allowances, AppError, type Ctx, type Route, subscriptionInactive } from '#kernel'
import type { Explanation } from './schema.ts'

type Obstacle = Pick<Explanation, 'reason' | 'missing'>

/**
 * Why the plan blocks every route that needs the permission: the subscription has ended, a feature is missing, or a
 * limit is reached. Undefined when at least one route is not blocked.
 */
export async function findPlanObstacle(ctx: Ctx, permission: string): Promise<Obstacle | undefined> {
  const { allowances, routes } = ctx.registry
  if (!allowances) return undefined
  let first: Obstacle | undefined
  for (const route of routes) {
    if (typeof route.access !== 'object' || route.access.permission !== permission) continue
    const obstacle = await obstacleOf(ctx, allowances, route)
    if (!obstacle) return undefined
    first ??= obstacle
  }
  return first
}

/** Checks in the order of a real request. */
async function obstacleOf(ctx: Ctx, allowances: Allowances, route: Route): Promise<Obstacle | undefined> {
  const { feature, limit, whileInactive } = route
  try {
    if (!whileInactive) await allowances.requireWritable?.(ctx)
    if (feature !== undefined && !(await allowances.hasFeature(ctx, feature)))
      return { reason: 'plan_feature', missing: { feature } }
  } catch (error) {
    if (error instanceof AppError && error.kind.code === subscriptionInactive.code)
      return { reason: 'subscription_inactive' }
    throw error
  }
  if (limit !== undefined && (await allowances.remaining?.(ctx, limit)) === 0)
    return { reason: 'plan_limit', missing: { limit } }
  return undefined
}
