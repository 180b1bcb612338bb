import { hash } from 'node:crypto'
import type { PlanTerms } from '../plans.ts'
import type { Given, RolloutRow, SubscriptionRow } from '../table.ts'

/** What a tenant gets in place of what its plan says, and by what. */
export interface Gift<T> extends Given<T> {
  by: 'override' | 'rollout'
}

/** All that holds for one tenant, by name. */
export interface Gifts {
  limits: Readonly<Record<string, Gift<number | null>>>
  features: Readonly<Record<string, Gift<boolean>>>
}

/** What a tenant may have: a plan's terms, with what it gets otherwise in their place. */
export interface Terms extends PlanTerms {
  gifts: Gifts
}

export type Rollout = Pick<RolloutRow, 'name' | 'value' | 'share' | 'until'>
type Overridden = Pick<SubscriptionRow, 'tenant_id' | 'limits_override' | 'features_override'>

/** What holds for a tenant at a moment: its own override before a rollout that it is among. */
export function giftsOf(tenant: Overridden, rollouts: readonly Rollout[], now: string): Gifts {
  const limits: Record<string, Gift<number | null>> = {}
  const features: Record<string, Gift<boolean>> = {}
  for (const { name, value, until, share } of rollouts) {
    if (!holds({ until }, now) || !isAmong(name, tenant.tenant_id, share)) continue
    if (typeof value === 'boolean') features[name] = { value, until, by: 'rollout' }
    else limits[name] = { value, until, by: 'rollout' }
  }
  for (const [name, given] of inForce(tenant.limits_override, now)) limits[name] = { ...given, by: 'override' }
  for (const [name, given] of inForce(tenant.features_override, now)) features[name] = { ...given, by: 'override' }
  return { limits, features }
}

/** A plan's terms with gifts in place of what it says. */
export function effective({ code, limits, features }: PlanTerms, gifts: Gifts): Terms {
  return {
    code,
    limits: { ...limits, ...valuesOf(gifts.limits) },
    features: { ...features, ...valuesOf(gifts.features) },
    gifts,
  }
}

const valuesOf = <T>(gifts: Readonly<Record<string, Gift<T>>>): Record<string, T> =>
  Object.fromEntries(Object.entries(gifts).map(([name, { value }]) => [name, value]))

/** The entries that have not ended. The moment of the end is the first without them. */
export const inForce = <G extends Given<unknown>>(given: Readonly<Record<string, G>>, now: string): [string, G][] =>
  Object.entries(given).filter(([, each]) => holds(each, now))

const holds = ({ until }: Pick<Given<unknown>, 'until'>, now: string) => until === null || until > now

/**
 * Whether a tenant is among a share of all in percent. It depends on nothing but the name and the tenant, so a greater share
 * has all tenants of a smaller one, and each name other ones.
 */
export function isAmong(name: string, tenantId: string, share: number): boolean {
  if (share <= 0 || share >= 100) return share > 0
  return hash('sha256', `${name}\0${tenantId}`, 'buffer').readUInt32BE() < (share / 100) * 2 ** 32
}
