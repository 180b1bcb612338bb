import { Closed, type Ctx, defineJob, type EventDefinition, notFound, systemActor, Type } from '#kernel'
import * as events from '../events.ts'
import { deleteUsageBefore, HELD } from '../limits/usage-queries.ts'
import { presentRecord } from '../present.ts'
import {
  findSubscription,
  listPlansById,
  lockDueSubscription,
  lockSubscription,
  updateSubscription,
} from '../queries.ts'
import type { Cancellation } from '../schema.ts'
import type { SubscriptionRow } from '../table.ts'
import { type Deadline, deadlineOf } from './periods.ts'
import { providerNamed } from './providers.ts'
import { type Happening, isEnded, MANUAL, type State, transition } from './states.ts'

/** The tenant's current subscription, including changes that are due but not stored yet. Throws 404. */
export async function getState(ctx: Ctx): Promise<State> {
  const row = await findSubscription(ctx.tx, ctx.tenantId)
  if (!row) throw notFound()
  return advance(await withPlans(ctx, row), ctx.clock.now()).state
}

/** The tenant's current subscription, locked, with due changes stored: every change starts with this. Throws 404. */
export async function lockState(ctx: Ctx): Promise<State> {
  const row = await lockSubscription(ctx.tx, ctx.tenantId)
  if (!row) throw notFound()
  return rollForward(ctx, await withPlans(ctx, row))
}

/** Stores the changes that are due, unless another transaction does. */
export async function rollForwardIfDue(ctx: Ctx): Promise<void> {
  const row = await lockDueSubscription(ctx.tx, ctx.tenantId, ctx.clock.now())
  if (row) await rollForward(ctx, await withPlans(ctx, row))
}

/**
 * Applies an event to a locked subscription and records the change once. Throws 409 when its state does not allow the
 * event.
 */
export async function apply(ctx: Ctx, before: State, happening: Happening): Promise<State> {
  const after = transition(before, happening, ctx.clock.now())
  if (JSON.stringify(before) === JSON.stringify(after)) return before
  const saved = await save(ctx, before, after)
  await record(ctx, { name: happening.name, before, after: saved })
  return saved
}

/** Cancels at the end of the period, or at once: then the tenant can only read from now on. Throws 409 when it has ended. */
export async function cancelSubscription(ctx: Ctx, { at_period_end, reason }: Cancellation): Promise<State> {
  const state = await lockState(ctx)
  return apply(ctx, state, { name: 'canceled', atPeriodEnd: at_period_end, reason: reason ?? null })
}

/**
 * Withdraws a pending cancellation, or starts again after the end. Throws 409 when there is nothing to withdraw, or
 * when a payment method is missing.
 */
export async function reactivateSubscription(ctx: Ctx): Promise<State> {
  return apply(ctx, await lockState(ctx), { name: 'reactivated' })
}

/**
 * Lets a trial go on for so many days, also one that is over and was followed by nothing. Throws 404 without a
 * subscription, 409 `conflict` for any other.
 */
export async function extendTrial(ctx: Ctx, days: number): Promise<State> {
  return apply(ctx, await lockState(ctx), { name: 'trial_extended', days })
}

/**
 * Reports the outcome of a charge, in a transaction of its tenant (see `tenantOfCharge`). Repeated reports count once,
 * also after the subscription has expired. False: nothing is due under this key any more.
 */
export async function settleCharge(
  ctx: Ctx,
  { key, outcome }: { key: string; outcome: 'paid' | 'declined' },
): Promise<boolean> {
  const state = await lockState(ctx)
  if (state.charge?.key !== key) return false
  if (outcome === 'declined' && isEnded(state)) return false
  await apply(ctx, state, { name: outcome })
  return true
}

/** Collects what is due through the provider of the payment method. */
export const collectCharge = defineJob('subscriptions.collect_charge', {
  payload: Closed({ key: Type.String() }),
  transaction: 'manual',
  handler: async (ctx, { key }) => {
    const state = await ctx.transaction(getState, { readOnly: true })
    const { charge, payment_provider: name, payment_reference: reference } = state
    if (charge?.key !== key || name === null || name === MANUAL) return
    const collection = { ...charge, tenantId: ctx.tenantId, planCode: state.plan.code, reference }
    const outcome = await providerNamed(ctx, name).collect(ctx, collection)
    if (outcome !== 'pending') await ctx.transaction((ctx) => settleCharge(ctx, { key, outcome }))
  },
})

/** Has what is due collected, once this transaction commits. */
export async function enqueueCollection(ctx: Ctx, { charge, payment_provider }: State): Promise<void> {
  if (!charge || payment_provider === null || payment_provider === MANUAL) return
  await ctx.enqueue(collectCharge, { key: charge.key }, { dedupeKey: `subscriptions.collect_charge:${charge.key}` })
}

async function rollForward(ctx: Ctx, stored: State): Promise<State> {
  const { state, steps } = advance(stored, ctx.clock.now())
  if (state === stored) return stored
  const clockwork = ctx.as(systemActor)
  for (const step of steps) await record(clockwork, step)
  if (state.current_period_start !== stored.current_period_start)
    await deleteUsageBefore(ctx.tx, ctx.tenantId, { start: stored.current_period_start, held: HELD })
  return save(clockwork, stored, state)
}

async function save(ctx: Ctx, before: State, after: State): Promise<State> {
  const { plan, pending_plan, ...row } = after
  const saved = await updateSubscription(ctx.tx, { ...row, updated_at: ctx.clock.now() })
  // What is remembered of the tenant includes the plan's requests per minute.
  if (after.plan_id !== before.plan_id) await ctx.forget({ tenantId: ctx.tenantId })
  if (after.charge && after.charge.key !== before.charge?.key) await enqueueCollection(ctx, after)
  return { ...saved, plan, pending_plan }
}

async function record(
  ctx: Ctx,
  { name, before, after }: { name: Happening['name']; before: State; after: State },
): Promise<void> {
  const event = eventOf(name, before, after)
  const content = { after: presentRecord(after), label: after.plan.name }
  await ctx.emit(event, name === 'warned' ? content : { ...content, before: presentRecord(before) })
}

function eventOf(
  name: Happening['name'],
  before: State,
  after: State,
): EventDefinition<typeof events.subscriptionChanged.data> {
  if (name === 'warned')
    return before.status === 'trialing' && !before.cancel_at_period_end
      ? events.trialEnding
      : events.subscriptionExpiring
  if (after.status === before.status || !isEnded(after)) return events.subscriptionChanged
  return after.status === 'canceled' ? events.subscriptionCanceled : events.subscriptionExpired
}

async function withPlans(ctx: Ctx, row: SubscriptionRow): Promise<State> {
  const ids = row.pending_plan_id ? [row.plan_id, row.pending_plan_id] : [row.plan_id]
  const plans = new Map((await listPlansById(ctx.tx, ids)).map((plan) => [plan.id, plan]))
  const plan = plans.get(row.plan_id)
  if (!plan) throw new Error(`The plan ${row.plan_id} is gone`) // its foreign key does not let it
  return { ...row, plan, pending_plan: plans.get(row.pending_plan_id ?? '') ?? null }
}

/** One change that time has caused. */
export interface Step {
  name: Deadline['name']
  before: State
  after: State
}

/**
 * The subscription at `now`: applies every change that has become due since it was stored, in order, each at its due
 * time. The result does not depend on when it is called.
 */
export function advance(stored: State, now: string): { state: State; steps: Step[] } {
  const steps: Step[] = []
  let state = stored
  for (let due = deadlineOf(state); due && due.at <= now; due = deadlineOf(state)) {
    const after = transition(state, { name: due.name }, due.at)
    // A warning is left out when the announced change, or a later warning of it, is due as well.
    const isTooLate = due.name === 'warned' && (deadlineOf(after)?.at ?? now) <= now
    if (!isTooLate) steps.push({ name: due.name, before: state, after })
    state = after
  }
  return { state, steps }
}
