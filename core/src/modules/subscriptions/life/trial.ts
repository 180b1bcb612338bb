import { type Ctx, DAYS, type Founder, type ImportedTenant, momentAfter, stamp } from '#kernel'
import { getTenant } from '../../tenants/index.ts'
import { subscriptionCreated } from '../events.ts'
import { presentRecord } from '../present.ts'
import { findPlanByCode, insertSubscription, updateTrialReturned, upsertTrial } from '../queries.ts'
import type { PlanRow, SubscriptionRow } from '../table.ts'
import { deadlineOf, periodEnd } from './periods.ts'

/** The plan that new tenants try. */
export const TRIAL_PLAN = 'starter'
/** The plan of new tenants whose founder has used up their trials. */
export const PLAN_AFTER_TRIALS = 'free'

/**
 * Creates the subscription of a new tenant: a trial, or the free plan when its founder has used up their trials
 * (TRIALS_PER_PERSON). An existing subscription stays.
 */
export async function openSubscription(ctx: Ctx, founder?: Founder): Promise<void> {
  const userId = founder?.userId ?? (await getTenant(ctx.tx, ctx.tenantId)).owner_id
  const isTrial = await upsertTrial(ctx.tx, userId, ctx.config.trialsPerPerson)
  const plan = await requirePlan(ctx, isTrial ? TRIAL_PLAN : PLAN_AFTER_TRIALS)
  const row = await insertSubscription(ctx.tx, newSubscription(ctx, plan, isTrial))
  if (row) await announce(ctx, row, plan)
  else if (isTrial) await updateTrialReturned(ctx.tx, userId)
}

async function announce(ctx: Ctx, row: SubscriptionRow, plan: PlanRow): Promise<void> {
  await ctx.forget({ tenantId: ctx.tenantId })
  await ctx.emit(subscriptionCreated, {
    after: presentRecord({ ...row, plan, pending_plan: null }),
    label: plan.name,
  })
}

/** The subscription of a tenant that comes from elsewhere: the plan that whoever runs the installation chose, or what a new tenant gets. */
export async function openImported(ctx: Ctx, { plan: code, ownerId }: ImportedTenant): Promise<void> {
  if (code === null) return openSubscription(ctx, { userId: ownerId, name: '' })
  const plan = await requirePlan(ctx, code)
  const row = await insertSubscription(ctx.tx, newSubscription(ctx, plan, false))
  if (row) await announce(ctx, row, plan)
}

async function requirePlan(ctx: Ctx, code: string): Promise<PlanRow> {
  const plan = await findPlanByCode(ctx.tx, code)
  if (!plan) throw new Error(`There is no plan ${code} for new tenants`)
  return plan
}

function newSubscription(ctx: Ctx, plan: PlanRow, isTrial: boolean): SubscriptionRow {
  const base = stamp(ctx)
  // All dates derive from one time, because the clock moves between two readings.
  const start = base.created_at
  const trialEnd = momentAfter(start, plan.trial_days * DAYS)
  const row: SubscriptionRow = {
    ...base,
    plan_id: plan.id,
    pending_plan_id: null,
    status: isTrial ? 'trialing' : 'active',
    trial_ends_at: isTrial ? trialEnd : null,
    anchored_at: start,
    current_period_start: start,
    current_period_end: isTrial ? trialEnd : periodEnd(start, plan.interval, start),
    cancel_at_period_end: false,
    cancel_reason: null,
    canceled_at: null,
    grace_ends_at: null,
    payment_method: null,
    payment_provider: null,
    payment_reference: null,
    charge: null,
    warned_days: null,
    next_change_at: null,
    limits_override: {},
    features_override: {},
  }
  return { ...row, next_change_at: deadlineOf({ ...row, plan, pending_plan: null })?.at ?? null }
}
