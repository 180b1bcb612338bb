import { DAYS, type Declared } from '#kernel'
import { featuresOf, limitsOf } from './plans.ts'
import type { Plan, Subscription, SubscriptionRecord } from './schema.ts'
import type { State } from './states.ts'
import type { PlanRow } from './table.ts'

/** A plan as it stands on the wire, with every limit and feature that the modules declare. */
export function presentPlan(core: Declared, row: PlanRow): Plan {
  return {
    id: row.id,
    code: row.code,
    name: row.name,
    description: row.description,
    price_cents: row.price_cents,
    currency: row.currency,
    interval: row.interval,
    trial_days: row.trial_days,
    limits: limitsOf(core, row),
    features: featuresOf(core, row),
    is_public: row.is_public,
    is_active: row.is_active,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** A subscription as it stands on the wire. */
export function presentSubscription(core: Declared, state: State): Subscription {
  return { ...presentFields(state), plan: presentPlan(core, state.plan) }
}

/** A subscription as its records keep it. */
export function presentRecord(state: State): SubscriptionRecord {
  const { id, code, name } = state.plan
  return { ...presentFields(state), plan: { id, code, name }, cancel_reason: state.cancel_reason }
}

function presentFields(state: State) {
  return {
    tenant_id: state.tenant_id,
    id: state.id,
    status: state.status,
    trial_ends_at: state.trial_ends_at,
    current_period_start: state.current_period_start,
    current_period_end: state.current_period_end,
    cancel_at_period_end: state.cancel_at_period_end,
    canceled_at: state.canceled_at,
    grace_ends_at: state.grace_ends_at,
    pending_plan_id: state.pending_plan_id,
    payment_method: state.payment_method,
    created_at: state.created_at,
    updated_at: state.updated_at,
  }
}

/** How much of a trial is left. */
export function presentTrial({ status, trial_ends_at }: State, now: string) {
  const in_trial = status === 'trialing'
  const left = in_trial && trial_ends_at ? Date.parse(trial_ends_at) - Date.parse(now) : 0
  return { in_trial, days_left: Math.max(0, Math.ceil(left / DAYS)), ends_at: trial_ends_at }
}
