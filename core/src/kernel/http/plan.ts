import type { Allowances } from '../access/slots.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { guarded } from '../create-context.ts'
import { featureNotInPlan } from '../errors.ts'
import type { Route } from '../module.ts'

/**
 * Checks whether the plan allows the route. It starts at once, together with the handler's first query, and is awaited
 * after the handler, because 404 and 409 take precedence over 402. Undefined: there is nothing to check.
 */
export function askPlan({ registry }: Core, route: Route, ctx: Ctx): Promise<void> | undefined {
  const { allowances } = registry
  if (!allowances) return undefined
  const writable = route.whileInactive ? undefined : allowances.requireWritable?.(ctx, route.limit)
  const feature = route.feature === undefined ? undefined : requireFeature(allowances, route.feature, ctx)
  if (!writable && !feature) return undefined
  const asked = Promise.all([writable, feature]).then(() => {})
  // Not awaited when the handler fails.
  asked.catch(() => {})
  return asked
}

/** Checked before a kept answer is repeated: an answer is not repeated when the plan forbids the request by now. */
export async function requirePlanOf(core: Core, route: Route, base: Ctx): Promise<void> {
  if (!core.registry.allowances || (route.whileInactive && route.feature === undefined)) return
  // The first request has consumed the limit; this checks only whether such a request is allowed.
  await base.transaction(async (ctx) => askPlan(core, { ...route, limit: undefined }, ctx))
}

/** For a manual route, whose work may reach outside: checks its feature before the handler runs. */
export async function requireFeatureOf({ registry }: Core, route: Route, base: Ctx): Promise<void> {
  const { allowances } = registry
  const { feature } = route
  if (!allowances || feature === undefined) return
  await base.transaction((ctx) => requireFeature(allowances, feature, ctx), { readOnly: true })
}

/** A context for a manual route, whose writing transactions fail while the tenant may only read. */
export function whileWritable({ registry: { allowances } }: Core, route: Route, base: Ctx): Ctx {
  const require = allowances?.requireWritable?.bind(allowances)
  return require && !route.whileInactive ? guarded(base, (ctx) => require(ctx, route.limit)) : base
}

async function requireFeature(allowances: Allowances, feature: string, ctx: Ctx): Promise<void> {
  if (!(await allowances.hasFeature(ctx, feature))) throw featureNotInPlan({ members: { feature } })
}
