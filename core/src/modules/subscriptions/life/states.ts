import { type AppError, conflict, DAYS, momentAfter } from '#kernel'
import { isFree, prorate } from '../plans.ts'
import type { PaymentMethod, PlanRow, Status, SubscriptionRow } from '../table.ts'
import { deadlineOf, nextWarning, periodEnd } from './periods.ts'

/** A subscription with its plans: everything that its changes depend on. */
export interface State extends SubscriptionRow {
  plan: PlanRow
  pending_plan: PlanRow | null
}

/** What can happen to a subscription: by a call, by time, or by a payment provider. */
export type Happening =
  | { name: 'warned' | 'trial_ended' | 'period_ended' | 'grace_ended' }
  | { name: 'canceled'; atPeriodEnd: boolean; reason: string | null }
  | { name: 'reactivated' }
  | { name: 'trial_extended'; days: number }
  | { name: 'plan_changed'; plan: PlanRow; at: 'now' | 'period_end' }
  | { name: 'payment_method_set'; method: PaymentMethod; provider: string; reference: string | null }
  | { name: 'paid' | 'declined' }

/** The state machine: what may happen in each state, and which states it may lead to. */
export const TRANSITIONS: Readonly<Record<Status, Partial<Record<Happening['name'], readonly Status[]>>>> = {
  trialing: {
    warned: ['trialing'],
    trial_ended: ['active', 'expired', 'canceled'],
    canceled: ['trialing', 'canceled'],
    reactivated: ['trialing'],
    trial_extended: ['trialing'],
    plan_changed: ['trialing'],
    payment_method_set: ['trialing'],
  },
  active: {
    warned: ['active'],
    period_ended: ['active', 'past_due', 'canceled'],
    canceled: ['active', 'canceled'],
    reactivated: ['active'],
    plan_changed: ['active'],
    payment_method_set: ['active'],
    paid: ['active'],
    declined: ['past_due'],
  },
  past_due: {
    warned: ['past_due'],
    grace_ended: ['expired', 'canceled'],
    canceled: ['past_due', 'canceled'],
    reactivated: ['past_due'],
    plan_changed: ['past_due', 'active'],
    payment_method_set: ['past_due', 'active'],
    paid: ['active'],
    declined: ['past_due'],
  },
  canceled: { reactivated: ['active', 'trialing'], plan_changed: ['canceled'], payment_method_set: ['canceled'] },
  expired: {
    reactivated: ['active'],
    // A trial that is over goes on; what was not paid is no trial.
    trial_extended: ['trialing'],
    plan_changed: ['expired'],
    payment_method_set: ['expired'],
    // A late payment still counts.
    paid: ['active'],
  },
}

/** How long an amount that is due may still be paid. */
export const GRACE_MS = 14 * DAYS
/** The built-in provider, for money that is collected outside of the system: any payment method counts as paid. */
export const MANUAL = 'manual'

export const isEnded = ({ status }: Pick<State, 'status'>): boolean => status === 'canceled' || status === 'expired'

/**
 * The subscription after an event at `now`; the given one is not changed. Throws 409 `conflict` when its state does not
 * allow the event.
 */
export function transition(before: State, happening: Happening, now: string): State {
  const allowed = TRANSITIONS[before.status][happening.name]
  if (!allowed) throw conflict({ detail: `A subscription that is ${before.status} does not allow this` })
  const after = happened(before, happening, now)
  if (!allowed.includes(after.status))
    throw new Error(`${happening.name} led from ${before.status} to ${after.status}, which the table does not have`)
  return { ...after, plan_id: after.plan.id, pending_plan_id: after.pending_plan?.id ?? null, ...upkeep(after) }
}

const upkeep = (state: State) => ({ next_change_at: deadlineOf(state)?.at ?? null })

function happened(state: State, happening: Happening, now: string): State {
  switch (happening.name) {
    case 'warned':
      return { ...state, warned_days: nextWarning(state) }
    case 'trial_ended':
      return endTrial(state, now)
    case 'period_ended':
      return endPeriod(state, now)
    case 'grace_ended':
      return end(state, state.cancel_at_period_end ? 'canceled' : 'expired', now)
    case 'canceled':
      return cancel(state, happening, now)
    case 'reactivated':
      return reactivate(state, now)
    case 'trial_extended':
      return extendTrial(state, happening.days, now)
    case 'plan_changed':
      return choosePlan(state, happening, now)
    case 'payment_method_set':
      return setPaymentMethod(state, happening)
    case 'paid':
      requireCharge(state)
      return paid(state, now)
    case 'declined':
      requireCharge(state)
      return state.status === 'past_due' ? state : owing(state, now)
  }
}

function endTrial(state: State, now: string): State {
  if (state.cancel_at_period_end) return end(state, 'canceled', now)
  const next = withPendingPlan(state)
  if (!isFree(next.plan) && !next.payment_method) return end(next, 'expired', now)
  return charged(beginPeriods(next, now), next.plan.price_cents, now)
}

function endPeriod(state: State, now: string): State {
  if (state.cancel_at_period_end) return end(state, 'canceled', now)
  // The last period is unpaid, so no new one starts.
  if (state.charge) return owing(state, now)
  const next = withPendingPlan(state)
  // With another period length counting starts again.
  const rolled = next.plan.interval === state.plan.interval ? nextPeriod(next, now) : beginPeriods(next, now)
  return charged(rolled, next.plan.price_cents, now)
}

function cancel(state: State, { atPeriodEnd, reason }: { atPeriodEnd: boolean; reason: string | null }, now: string) {
  const told = { ...state, cancel_reason: reason }
  if (!atPeriodEnd) return end(told, 'canceled', now)
  return state.cancel_at_period_end ? told : { ...told, cancel_at_period_end: true, warned_days: null }
}

function reactivate(state: State, now: string): State {
  if (!isEnded(state)) {
    if (!state.cancel_at_period_end) throw conflict({ detail: 'The subscription is not canceled' })
    return withoutCancellation(state)
  }
  if (!isFree(state.plan) && isWithinTrial(state, now))
    return { ...state, status: 'trialing', canceled_at: null, cancel_reason: null }
  if (!isFree(state.plan) && !state.payment_method) throw paymentMethodMissing()
  const begun = beginPeriods({ ...state, canceled_at: null, cancel_reason: null, charge: null }, now)
  return charged(begun, begun.plan.price_cents, now)
}

/** Whether a canceled trial has not ended yet. */
const isWithinTrial = (state: State, now: string): boolean => isOnTrial(state) && state.current_period_end > now

/** Whether no period has followed the trial. */
const isOnTrial = ({ trial_ends_at, current_period_end }: State): boolean => trial_ends_at === current_period_end

/** So many days more, from the end of the trial, or from now where that has passed. It is warned of again. */
function extendTrial(state: State, days: number, now: string): State {
  if (state.cancel_at_period_end) throw conflict({ detail: 'The trial was canceled and ends when it ends' })
  if (!isOnTrial(state)) throw conflict({ detail: 'The trial was followed by a period, which is not extended' })
  const from = state.current_period_end > now ? state.current_period_end : now
  const end = momentAfter(from, days * DAYS)
  return { ...state, status: 'trialing', trial_ends_at: end, current_period_end: end, warned_days: null }
}

function choosePlan(state: State, { plan, at }: { plan: PlanRow; at: 'now' | 'period_end' }, now: string): State {
  // Choosing another plan withdraws a pending cancellation.
  const kept = takesCancellationBack(state, plan) ? withoutCancellation(state) : state
  // After the end there is no period to wait for.
  if (at === 'now' || isEnded(state)) return changePlan(kept, plan, now)
  return { ...kept, pending_plan: plan.id === state.plan.id ? null : plan }
}

/** Whether choosing the plan withdraws a pending cancellation. */
export const takesCancellationBack = ({ cancel_at_period_end, plan }: State, chosen: PlanRow): boolean =>
  cancel_at_period_end && chosen.id !== plan.id

const withoutCancellation = (state: State): State => ({
  ...state,
  cancel_at_period_end: false,
  cancel_reason: null,
  warned_days: null,
})

function changePlan(state: State, plan: PlanRow, now: string): State {
  const next = { ...state, plan, pending_plan: null }
  if (plan.id === state.plan.id || isEnded(state) || state.status === 'trialing') return next
  if (state.status === 'past_due') return changePlanWhileDue(state, next, now)
  const { due } = prorate(state, plan, now)
  if (due > 0 && state.charge) throw conflict({ detail: 'A payment is under way; try again when it is through' })
  if (due > 0 && !state.payment_method) throw paymentMethodMissing()
  const begun = plan.interval === state.plan.interval ? next : beginPeriods(next, now)
  return due > 0 ? charged(begun, due, now) : begun
}

/** Instead of paying, a tenant may change to a cheaper plan: it then owes that price, or nothing. */
function changePlanWhileDue(state: State, next: State, now: string): State {
  const { charge, plan } = state
  // The unpaid year is replaced by a month, which must not buy the year.
  const begun = next.plan.interval === plan.interval ? next : resized(next, now)
  if (isFree(next.plan)) return withNothingDue(begun)
  const isLess = next.plan.currency === plan.currency && next.plan.price_cents <= (charge?.amount_cents ?? 0)
  if (charge && !isLess) throw conflict({ detail: 'Pay what is due first' })
  return { ...begun, charge: charge && { ...charge, amount_cents: next.plan.price_cents } }
}

/** The current period with the length of the new plan, or a new period when that has ended. */
function resized(state: State, now: string): State {
  const { status, warned_days } = state
  const kept = beginPeriods(state, state.current_period_start)
  return { ...(kept.current_period_end > now ? kept : beginPeriods(state, now)), status, warned_days }
}

function setPaymentMethod(
  state: State,
  { method, provider, reference }: { method: PaymentMethod; provider: string; reference: string | null },
): State {
  const next = { ...state, payment_method: method, payment_provider: provider, payment_reference: reference }
  return provider === MANUAL && !isEnded(state) ? withNothingDue(next) : next
}

function paid(state: State, now: string): State {
  const next = withNothingDue(state)
  return isEnded(state) && state.current_period_end <= now ? beginPeriods(next, now) : next
}

function requireCharge({ charge }: State): void {
  if (!charge) throw conflict({ detail: 'Nothing is due' })
}

/** The state without a charge. A trial has none. */
function withNothingDue(state: State): State {
  if (state.status === 'trialing') return state
  const warned_days = state.status === 'active' ? state.warned_days : null
  return { ...state, status: 'active', charge: null, grace_ends_at: null, warned_days }
}

/** Charges an amount: paid at once, collected by a provider soon, or owed. */
function charged(state: State, amount_cents: number, now: string): State {
  if (amount_cents === 0) return withNothingDue(state)
  const charge = { key: chargeKey(state.tenant_id, now), amount_cents, currency: state.plan.currency, due_at: now }
  if (!state.payment_method) return owing({ ...state, charge }, now)
  return state.payment_provider === MANUAL ? withNothingDue(state) : { ...state, charge }
}

const chargeKey = (tenantId: string, at: string) => `${tenantId}.${Date.parse(at)}`

/** The tenant of a charge, read from its key. */
export const tenantOfCharge = (key: string): string => key.split('.', 1)[0] ?? ''

function owing(state: State, now: string): State {
  return { ...state, status: 'past_due', grace_ends_at: momentAfter(now, GRACE_MS), warned_days: null }
}

function end(state: State, status: 'canceled' | 'expired', now: string): State {
  return {
    ...state,
    status,
    pending_plan: null,
    cancel_at_period_end: false,
    canceled_at: status === 'canceled' ? now : null,
    grace_ends_at: null,
    charge: status === 'canceled' ? null : state.charge,
    warned_days: null,
  }
}

const withPendingPlan = (state: State): State =>
  state.pending_plan ? { ...state, plan: state.pending_plan, pending_plan: null } : state

const nextPeriod = (state: State, start: string): State => ({
  ...state,
  status: 'active',
  current_period_start: start,
  current_period_end: periodEnd(state.anchored_at, state.plan.interval, start),
  warned_days: null,
})

const beginPeriods = (state: State, now: string): State => nextPeriod({ ...state, anchored_at: now }, now)

const paymentMethodMissing = (): AppError => conflict({ detail: 'Add a payment method first' })
