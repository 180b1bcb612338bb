import { type Ctx, DAYS, stamp } from '#kernel'
import { WARNING_MS } from './deadlines.ts'
import { subscriptionCreated } from './events.ts'
import { presentRecord } from './present.ts'
import { findPlanByCode, insertSubscription } from './queries.ts'

/** The plan that new tenants try. */
const TRIAL_PLAN = 'starter'

/** Opens the trial of a new tenant; one that has a subscription keeps it. */
export async function openTrial(ctx: Ctx): Promise<void> {
  const plan = await findPlanByCode(ctx.tx, TRIAL_PLAN)
  if (!plan) throw new Error(`There is no plan ${TRIAL_PLAN} for new tenants to try`)
  const base = stamp(ctx)
  // Everything is reckoned from one moment: the clock goes on between two looks at it.
  const inTrial = (ms: number) => new Date(Date.parse(base.created_at) + ms).toISOString()
  const trial_ends_at = inTrial(plan.trial_days * DAYS)
  const row = await insertSubscription(ctx.tx, {
    ...base,
    plan_id: plan.id,
    pending_plan_id: null,
    status: 'trialing',
    trial_ends_at,
    anchored_at: base.created_at,
    current_period_start: base.created_at,
    current_period_end: trial_ends_at,
    cancel_at_period_end: false,
    cancel_reason: null,
    canceled_at: null,
    grace_ends_at: null,
    payment_method: null,
    payment_provider: null,
    payment_reference: null,
    charge: null,
    is_warned: false,
    next_change_at: inTrial(plan.trial_days * DAYS - WARNING_MS),
  })
  if (!row) return
  await ctx.emit(subscriptionCreated, { after: presentRecord({ ...row, plan, pending_plan: null }), label: plan.name })
}
