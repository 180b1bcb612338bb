import type { Ctx, PlanOverview, Route } from '#kernel'
import type { Explanation } from './schema.ts'

type Obstacle = Pick<Explanation, 'reason' | 'missing'>

/** What the tenant's plan allows; undefined without a module that limits anything. */
export async function readPlan(ctx: Ctx): Promise<PlanOverview | undefined> {
  return ctx.registry.allowances?.overview(ctx)
}

/**
 * Why the plan blocks every route that needs the permission: the subscription has ended, a feature is missing, or a
 * limit is reached. Undefined when at least one route is not blocked, or none needs it.
 */
export function findPlanObstacle(plan: PlanOverview | undefined, routes: readonly Route[]): Obstacle | undefined {
  if (!plan) return undefined
  const obstacles = routes.map((route) => obstacleOf(plan, route))
  return obstacles.includes(undefined) ? undefined : obstacles[0]
}

/** The routes that need each permission. */
export function routesByPermission({ registry }: Ctx): ReadonlyMap<string, readonly Route[]> {
  return Map.groupBy(registry.routes, ({ access }) =>
    typeof access === 'object' && 'permission' in access ? access.permission : '',
  )
}

/**
 * Those of a permission's routes that are open to a person, or (`userId` null) to a credential of the tenant's. Undefined:
 * there are routes, and all of them are for people. None at all: handlers ask for the permission.
 */
export function routesOpenTo(userId: string | null, routes: readonly Route[]): readonly Route[] | undefined {
  const open = userId === null ? routes.filter(({ callers }) => callers === 'all') : routes
  return open.length === 0 && routes.length > 0 ? undefined : open
}

/** Checks in the order of a real request. */
function obstacleOf(plan: PlanOverview, { feature, limit, whileInactive }: Route): Obstacle | undefined {
  if (!whileInactive && !plan.writable) return { reason: 'subscription_inactive' }
  if (feature !== undefined && !plan.features.includes(feature)) return { reason: 'plan_feature', missing: { feature } }
  if (limit !== undefined && isReached(plan, limit)) return { reason: 'plan_limit', missing: { limit } }
  return undefined
}

/** A limit that the plan does not speak of is reached: nobody knows how many there may be. */
function isReached({ limits }: PlanOverview, limit: string): boolean {
  const { used, max } = limits[limit] ?? { used: 0, max: 0 }
  return max !== null && used >= max
}
