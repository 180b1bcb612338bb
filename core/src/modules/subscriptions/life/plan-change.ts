import { AppError, type Ctx, notFound } from '#kernel'
import { lockPlanAsItIs } from '../catalogue/queries.ts'
import { downgradeExceedsLimits } from '../errors.ts'
import { listExceeded } from '../limits/usage.ts'
import { isDowngrade, prorate } from '../plans.ts'
import { findActivePlan, findPublicPlan } from '../queries.ts'
import type { PlanChange, PlanChangePreview } from '../schema.ts'
import type { PlanRow } from '../table.ts'
import { apply, getState, lockState } from './lifecycle.ts'
import { isEnded, type State, takesCancellationBack, transition } from './states.ts'

/** What a change of plan would do now, without changing anything. Throws 404 for a plan that is not public. */
export async function previewPlanChange(ctx: Ctx, change: PlanChange): Promise<PlanChangePreview> {
  const [state, plan] = await Promise.all([getState(ctx), getChoosable(ctx, change.plan_id)])
  const { at, exceeds } = await consider(ctx, state, plan, change)
  const now = ctx.clock.now()
  const { due, dropped } = at === 'now' ? prorate(state, plan, now) : { due: plan.price_cents, dropped: 0 }
  const after = outcomeOf(state, { plan, at }, now)
  return {
    allowed: exceeds.length === 0 && after !== null,
    exceeds,
    requires_payment_method: at === 'now' && due > 0 && !state.payment_method,
    // The end of an unpaid period may have passed.
    effective_at: at === 'now' || state.current_period_end < now ? now : state.current_period_end,
    amount_due_cents: (at === 'now' && state.status === 'past_due' && after?.charge?.amount_cents) || due,
    dropped_cents: dropped,
    takes_cancellation_back: takesCancellationBack(state, plan),
  }
}

/** The state after the change; null when the current state does not allow it. */
function outcomeOf(state: State, { plan, at }: { plan: PlanRow; at: 'now' | 'period_end' }, now: string): State | null {
  try {
    return transition(state, { name: 'plan_changed', plan, at }, now)
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return null
    throw error
  }
}

/**
 * Changes the plan: at once for a higher price of the same time, at the end of the period for a lower price or a
 * shorter period unless `now` is asked for. Withdraws a pending cancellation. Deletes nothing. Throws 404 as above, 422
 * `downgrade_exceeds_limits`, 409 when a payment is needed and not possible.
 */
export async function changePlan(ctx: Ctx, change: PlanChange): Promise<State> {
  return (await changeTo(ctx, await getUnchanging(ctx, change.plan_id, findPublicPlan), change)).after
}

/** A subscription before and after a change; the same object twice where nothing changed. */
export interface Changed {
  before: State
  after: State
}

/** The same for the operator, who may choose private plans too. Throws 404 for one that nobody may choose. */
export async function changeToAnyPlan(ctx: Ctx, change: PlanChange): Promise<Changed> {
  return changeTo(ctx, await getUnchanging(ctx, change.plan_id, findActivePlan), change)
}

async function changeTo(ctx: Ctx, plan: PlanRow, change: PlanChange): Promise<Changed> {
  // With this lock nobody can consume, so the counts below stay true until the commit.
  const before = await lockState(ctx)
  const { at, exceeds } = await consider(ctx, before, plan, change)
  if (exceeds.length > 0) throw downgradeExceedsLimits({ members: { exceeds } })
  return { before, after: await apply(ctx, before, { name: 'plan_changed', plan, at }) }
}

async function getChoosable(ctx: Ctx, planId: string): Promise<PlanRow> {
  const plan = await findPublicPlan(ctx.tx, planId.toLowerCase())
  if (!plan) throw notFound()
  return plan
}

/** The plan as it stays until this transaction ends, so that what is charged is what is chosen. Throws 404. */
async function getUnchanging({ tx }: Ctx, planId: string, find: typeof findActivePlan): Promise<PlanRow> {
  const id = planId.toLowerCase()
  // Sent together. The second waits for the first, and reads what was committed by then.
  const [, plan] = await Promise.all([lockPlanAsItIs(tx, id), find(tx, id)])
  if (!plan) throw notFound()
  return plan
}

/** When a change takes effect, and which limits prevent it. */
async function consider(ctx: Ctx, state: State, plan: PlanRow, { at = 'period_end' }: PlanChange) {
  const isSame = plan.id === state.plan.id
  // An ended subscription starts again: no current plan could be undercut.
  if (isSame || isEnded(state) || !isDowngrade(state, plan)) return { at: 'now' as const, exceeds: [] }
  const isNewPeriod = at === 'period_end'
  const now = ctx.clock.now()
  // The end of an unpaid period may have passed.
  const effect = { isNewPeriod, at: isNewPeriod && state.current_period_end > now ? state.current_period_end : now }
  return { at, exceeds: await listExceeded(ctx, state, plan, effect) }
}
