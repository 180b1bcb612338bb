import { AppError, type Ctx, notFound } from '#kernel'
import { downgradeExceedsLimits } from './errors.ts'
import { apply, getState, lockState } from './lifecycle.ts'
import { isDowngrade, prorate } from './plans.ts'
import { findPublicPlan } from './queries.ts'
import type { PlanChange, PlanChangePreview } from './schema.ts'
import { isEnded, type State, takesCancellationBack, transition } from './states.ts'
import type { PlanRow } from './table.ts'
import { listExceeded } from './usage.ts'

/** What a change of plan would do now; changes nothing. Throws 404 for a plan that is not for everybody. */
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
    // Of a period that has not been paid in time the end may have passed.
    effective_at: at === 'now' || state.current_period_end < now ? now : state.current_period_end,
    amount_due_cents: (at === 'now' && state.status === 'past_due' && after?.charge?.amount_cents) || due,
    dropped_cents: dropped,
    takes_cancellation_back: takesCancellationBack(state, plan),
  }
}

/** What the change would lead to; null: its state does not allow it. */
function outcomeOf(state: State, { plan, at }: { plan: PlanRow; at: 'now' | 'period_end' }, now: string): State | null {
  try {
    return transition(state, { name: 'plan_changed', plan, at }, now)
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return null
    throw error
  }
}

/**
 * Changes the plan: at once to a higher price for the same time, at the end of the period to a lower one or to a shorter
 * period, unless at once is asked for. Takes a waiting cancellation back.
 * Nothing is deleted. Throws 404 as above, 422 `downgrade_exceeds_limits`, 409 when it is to be paid and cannot be.
 */
export async function changePlan(ctx: Ctx, change: PlanChange): Promise<State> {
  const plan = await getChoosable(ctx, change.plan_id)
  // From here on nobody consumes: what is counted stays true until the commit.
  const state = await lockState(ctx)
  const { at, exceeds } = await consider(ctx, state, plan, change)
  if (exceeds.length > 0) throw downgradeExceedsLimits({ members: { exceeds } })
  return apply(ctx, state, { name: 'plan_changed', plan, at })
}

async function getChoosable(ctx: Ctx, planId: string): Promise<PlanRow> {
  const plan = await findPublicPlan(ctx.tx, planId.toLowerCase())
  if (!plan) throw notFound()
  return plan
}

/** When a change takes effect, and what stands against it. */
async function consider(ctx: Ctx, state: State, plan: PlanRow, { at = 'period_end' }: PlanChange) {
  const isSame = plan.id === state.plan.id
  // What has ended is begun anew: there is no plan in force that anything could fall below.
  if (isSame || isEnded(state) || !isDowngrade(state, plan)) return { at: 'now' as const, exceeds: [] }
  return { at, exceeds: await listExceeded(ctx, state, plan, at === 'period_end') }
}
