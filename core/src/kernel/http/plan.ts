import type { Allowances } from '../access/slots.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { guarded } from '../create-context.ts'
import { featureNotInPlan } from '../errors.ts'
import type { Route } from '../module.ts'

/**
 * Asks whether the plan allows what the route does. Begins at once, to go out together with the handler's first query;
 * awaited after the handler, because 404 and 409 come before 402. Undefined: there is nothing to ask.
 */
export function askPlan({ registry }: Core, route: Route, ctx: Ctx): Promise<void> | undefined {
  const { allowances } = registry
  if (!allowances) return undefined
  const writable = route.whileInactive ? undefined : allowances.requireWritable?.(ctx, route.limit)
  const feature = route.feature === undefined ? undefined : requireFeature(allowances, route.feature, ctx)
  if (!writable && !feature) return undefined
  const asked = Promise.all([writable, feature]).then(() => {})
  // Nobody looks at it when the handler itself fails.
  asked.catch(() => {})
  return asked
}

/** Before an answer is given again: what the plan forbids by now is not told as done. */
export async function requirePlanOf(core: Core, route: Route, base: Ctx): Promise<void> {
  if (!core.registry.allowances || (route.whileInactive && route.feature === undefined)) return
  // What the first request consumed is consumed; only whether such a request may be made at all is asked.
  await base.transaction(async (ctx) => askPlan(core, { ...route, limit: undefined }, ctx))
}

/** Before the handler of a manual route, whose work may reach outside: the feature that the route needs. */
export async function requireFeatureOf({ registry }: Core, route: Route, base: Ctx): Promise<void> {
  const { allowances } = registry
  const { feature } = route
  if (!allowances || feature === undefined) return
  await base.transaction((ctx) => requireFeature(allowances, feature, ctx), { readOnly: true })
}

/** The context of a manual route: each transaction that it opens to write is refused while the tenant may only read. */
export function whileWritable({ registry: { allowances } }: Core, route: Route, base: Ctx): Ctx {
  const require = allowances?.requireWritable?.bind(allowances)
  return require && !route.whileInactive ? guarded(base, (ctx) => require(ctx, route.limit)) : base
}

async function requireFeature(allowances: Allowances, feature: string, ctx: Ctx): Promise<void> {
  if (!(await allowances.hasFeature(ctx, feature))) throw featureNotInPlan({ members: { feature } })
}
