import type { Core, Ctx, Declared, ImportedPlan } from '#kernel'
import type { State } from './life/states.ts'
import { findPlanByCode, listPlanCodes, listPlansById } from './queries.ts'
import type { Interval, PlanRow } from './table.ts'

/**
 * What a plan says of limits and features. What a tenant may have is more than that: `effective` puts what it gets otherwise in
 * the place of it.
 */
export type PlanTerms = Pick<PlanRow, 'code' | 'limits' | 'features'>

/** The maximum of a limit, null for any number: from the plan, else from the limit's declaration. */
export function maxOf({ registry }: Declared, plan: PlanTerms, limit: string): number | null {
  if (Object.hasOwn(plan.limits, limit)) return plan.limits[limit] ?? null
  const declared = registry.limits.get(limit)
  if (!declared) throw new Error(`The limit ${limit} belongs to no module of this core`)
  return declared.plans?.[plan.code] ?? null
}

/** Whether the plan includes a feature: from the plan, else from the feature's declaration. */
export function includes({ registry }: Declared, plan: PlanTerms, feature: string): boolean {
  if (Object.hasOwn(plan.features, feature)) return plan.features[feature] ?? false
  const declared = registry.features.get(feature)
  if (!declared) throw new Error(`The feature ${feature} belongs to no module of this core`)
  return declared.plans?.includes(plan.code) ?? true
}

export const limitsOf = (core: Declared, plan: PlanTerms): Record<string, number | null> =>
  Object.fromEntries([...core.registry.limits.keys()].map((limit) => [limit, maxOf(core, plan, limit)]))

/** The limits that are requests per minute: nothing of them is used up, so usage leaves them out. */
export function ratesOf(core: Declared, plan: PlanTerms): Record<string, number | null> {
  const rates = [...core.registry.limits].filter(([, { per }]) => per === 'minute')
  return Object.fromEntries(rates.map(([limit]) => [limit, maxOf(core, plan, limit)]))
}

/** For tenants without a subscription, which may only read until they get one: the figures of the smallest plan. */
export const NO_PLAN: PlanTerms = { code: 'free', limits: { requests_per_minute: 1_200 }, features: {} }

export const featuresOf = (core: Declared, plan: PlanTerms): Record<string, boolean> =>
  Object.fromEntries([...core.registry.features.keys()].map((feature) => [feature, includes(core, plan, feature)]))

/** Limits and features whose declaration names a plan that does not exist. */
export async function unknownPlans(core: Core): Promise<string[]> {
  const known = new Set(await core.run(({ tx }) => listPlanCodes(tx), { tenantId: null, readOnly: true }))
  const { limits, features } = core.registry
  const named = [
    ...[...limits].map(([name, { module, plans = {} }]) => [`limit ${name} (${module})`, Object.keys(plans)] as const),
    ...[...features].map(([name, { module, plans = [] }]) => [`feature ${name} (${module})`, plans] as const),
  ]
  return named.flatMap(([what, plans]) =>
    plans
      .filter((plan) => !known.has(plan))
      .map((plan) => `${what} names the plan ${plan}, which is none of ${[...known].join(', ')}`),
  )
}

/** The plan that an export names by its id, or a command by its code. */
export async function findPlanOf(
  { tx }: Ctx,
  by: { id: string } | { code: string },
): Promise<ImportedPlan | undefined> {
  const [plan] = 'id' in by ? await listPlansById(tx, [by.id]) : [await findPlanByCode(tx, by.code)]
  return plan && { code: plan.code, isActive: plan.is_active }
}

/** How long a period is. */
export const MONTHS: Record<Interval, number> = { month: 1, year: 12 }

export const isFree = ({ price_cents }: Pick<PlanRow, 'price_cents'>): boolean => price_cents === 0

/**
 * Whether a change of plan waits for the end of the period unless `now` is asked for: its price for the same time is
 * lower or equal, or it would lose time that is paid for. Anything else is an upgrade.
 */
export function isDowngrade({ plan: from, status }: State, to: PlanRow): boolean {
  if (isFree(from) !== isFree(to)) return isFree(to)
  // Amounts in different currencies can be neither compared nor deducted from each other.
  if (from.currency !== to.currency) return true
  if (status === 'active' && MONTHS[to.interval] < MONTHS[from.interval]) return true
  return perYear(to) <= perYear(from)
}

const perYear = ({ price_cents, interval }: PlanRow) => price_cents * (12 / MONTHS[interval])

/** The cost of a change of plan now, in the smallest unit of each plan's currency. */
export interface Proration {
  /** To be paid now, in the currency of the new plan. */
  due: number
  /** The part of the paid amount that is lost, in the currency of the current plan: nothing is refunded. */
  dropped: number
}

/**
 * What a change of plan costs now. With the same period length it is the difference of the prices for the rest of the
 * period; with another length a new period starts. The unused rest of the current period is deducted, down to zero and
 * in the same currency only. A trial costs nothing.
 */
export function prorate(state: State, to: PlanRow, now: string): Proration {
  const { plan, status } = state
  if (status !== 'active' || to.id === plan.id) return { due: 0, dropped: 0 }
  const left = shareLeft(state, now)
  const unused = plan.price_cents * left
  const wanted = plan.interval === to.interval ? to.price_cents * left : to.price_cents
  const credit = plan.currency === to.currency ? Math.min(unused, wanted) : 0
  return { due: Math.round(wanted - credit), dropped: Math.round(unused - credit) }
}

function shareLeft({ current_period_start, current_period_end }: State, now: string): number {
  const [start, end] = [Date.parse(current_period_start), Date.parse(current_period_end)]
  if (end <= start) return 0
  return Math.min(1, Math.max(0, (end - Date.parse(now)) / (end - start)))
}
