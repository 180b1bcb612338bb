import { DAYS, type Declared, pickFields } from '#kernel'
import type { State } from './life/states.ts'
import { featuresOf, limitsOf } from './plans.ts'
import { Plan, Subscription, SubscriptionRecord } from './schema.ts'
import type { PlanRow } from './table.ts'

/** A plan as it stands on the wire, with every limit and feature that the modules declare. */
export function presentPlan(core: Declared, row: PlanRow): Plan {
  return pickFields(Plan, { ...row, limits: limitsOf(core, row), features: featuresOf(core, row) })
}

/** A subscription as it stands on the wire. */
export function presentSubscription(core: Declared, state: State): Subscription {
  return pickFields(Subscription, { ...state, plan: presentPlan(core, state.plan) })
}

/** A subscription as its records keep it. */
export function presentRecord(state: State): SubscriptionRecord {
  const { id, code, name } = state.plan
  return pickFields(SubscriptionRecord, { ...state, plan: { id, code, name } })
}

/** How much of a trial is left. */
export function presentTrial({ status, trial_ends_at }: State, now: string) {
  const in_trial = status === 'trialing'
  const left = in_trial && trial_ends_at ? Date.parse(trial_ends_at) - Date.parse(now) : 0
  return { in_trial, days_left: Math.max(0, Math.ceil(left / DAYS)), ends_at: trial_ends_at }
}
