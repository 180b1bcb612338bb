import type { Declared } from '#kernel'
import type { PlanRow } from './table.ts'

type Terms = Pick<PlanRow, 'code' | 'limits' | 'features'>

/** How many of a limit the plan allows, null for any number: what the plan says, else what the limit's declaration does. */
export function maxOf({ registry }: Declared, plan: Terms, limit: string): number | null {
  if (Object.hasOwn(plan.limits, limit)) return plan.limits[limit] ?? null
  const declared = registry.limits.get(limit)
  if (!declared) throw new Error(`The limit ${limit} belongs to no module of this core`)
  return declared.plans?.[plan.code] ?? null
}

/** Whether the plan includes a feature: what the plan says, else what the feature's declaration does. */
export function includes({ registry }: Declared, plan: Terms, feature: string): boolean {
  if (Object.hasOwn(plan.features, feature)) return plan.features[feature] ?? false
  const declared = registry.features.get(feature)
  if (!declared) throw new Error(`The feature ${feature} belongs to no module of this core`)
  return declared.plans?.includes(plan.code) ?? true
}

export const limitsOf = (core: Declared, plan: Terms): Record<string, number | null> =>
  Object.fromEntries([...core.registry.limits.keys()].map((limit) => [limit, maxOf(core, plan, limit)]))

export const featuresOf = (core: Declared, plan: Terms): Record<string, boolean> =>
  Object.fromEntries([...core.registry.features.keys()].map((feature) => [feature, includes(core, plan, feature)]))
