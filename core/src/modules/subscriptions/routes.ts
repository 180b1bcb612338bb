import { conflict, defineRoute, notFound, type Route, Short } from '#kernel'
import { downgradeExceedsLimits } from './errors.ts'
import { cancelSubscription, getState, reactivateSubscription } from './life/lifecycle.ts'
import { changePaymentMethod, checkMasked } from './life/payment.ts'
import { changePlan, previewPlanChange } from './life/plan-change.ts'
import { readDetails, readUsage } from './limits/usage.ts'
import { presentPlan, presentSubscription, presentTrial } from './present.ts'
import { findPublicPlan, listPublicPlans } from './queries.ts'
import {
  Cancellation,
  PaymentMethodPatch,
  Plan,
  PlanChange,
  PlanChangePreview,
  PlanParams,
  Subscription,
  SubscriptionDetails,
  Trial,
  Usage,
} from './schema.ts'

const view = { permission: 'subscription.view' }
const manage = { permission: 'subscription.manage' }

export const subscriptionRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/subscriptions/plans',
    summary: 'List the plans that anybody may choose, cheapest first',
    access: 'public',
    response: { 200: Short(Plan) },
    handler: async (ctx) => ({ data: (await listPublicPlans(ctx.tx)).map((plan) => presentPlan(ctx, plan)) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/subscriptions/plans/:id',
    summary: 'Get a plan that anybody may choose',
    access: 'public',
    params: PlanParams,
    response: { 200: Plan },
    handler: async (ctx, { params }) => {
      const plan = await findPublicPlan(ctx.tx, params.id)
      if (!plan) throw notFound()
      return presentPlan(ctx, plan)
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/subscriptions/current',
    summary: "Get the tenant's subscription",
    access: view,
    response: { 200: Subscription },
    errors: [notFound],
    handler: async (ctx) => presentSubscription(ctx, await getState(ctx)),
  }),
  defineRoute({
    method: 'GET',
    path: '/subscriptions/current/details',
    summary: 'Get subscription, plan, limits, usage and trial in one',
    access: view,
    response: { 200: SubscriptionDetails },
    errors: [notFound],
    handler: readDetails,
  }),
  defineRoute({
    method: 'GET',
    path: '/subscriptions/current/usage',
    summary: 'Get how much of each limit is in use',
    access: view,
    response: { 200: Usage },
    errors: [notFound],
    handler: async (ctx) => readUsage(ctx, await getState(ctx)),
  }),
  defineRoute({
    method: 'GET',
    path: '/subscriptions/current/trial',
    summary: 'Get how much of the trial is left',
    access: view,
    response: { 200: Trial },
    errors: [notFound],
    handler: async (ctx) => presentTrial(await getState(ctx), ctx.clock.now()),
  }),
  defineRoute({
    method: 'POST',
    path: '/subscriptions/current/change-plan/preview',
    onlyAsks: true,
    name: 'previewPlanChange',
    summary: 'See what a change of plan would do',
    description:
      'Changes nothing. `allowed` is false while more is in use than the plan allows, or the change would be refused otherwise.',
    access: manage,
    whileInactive: true,
    body: PlanChange,
    response: { 200: PlanChangePreview },
    errors: [notFound],
    handler: (ctx, { body }) => previewPlanChange(ctx, body),
  }),
  defineRoute({
    method: 'POST',
    path: '/subscriptions/current/change-plan',
    summary: 'Change the plan',
    description:
      'A higher price for the same time takes effect at once; a lower one, a shorter period or another currency at the end of what is paid, or at once with `"at": "now"`. Nothing is deleted. Choosing the plan of now takes a waiting change back; choosing another one takes a waiting cancellation back. After the end of a subscription the plan is chosen here and begins with `reactivate`.',
    access: manage,
    whileInactive: true,
    body: PlanChange,
    response: { 200: Subscription },
    errors: [notFound, conflict, downgradeExceedsLimits],
    handler: async (ctx, { body }) => presentSubscription(ctx, await changePlan(ctx, body)),
  }),
  defineRoute({
    method: 'POST',
    path: '/subscriptions/current/cancel',
    summary: 'Cancel the subscription, at the end of its period or at once',
    description: 'Once it has ended, everything can be read and nothing changed. Nothing is deleted.',
    access: manage,
    whileInactive: true,
    body: Cancellation,
    response: { 200: Subscription },
    errors: [notFound, conflict],
    handler: async (ctx, { body }) => presentSubscription(ctx, await cancelSubscription(ctx, body)),
  }),
  defineRoute({
    method: 'POST',
    path: '/subscriptions/current/reactivate',
    summary: 'Take a cancellation back, or begin anew after the end',
    description:
      'Before the end of a trial the trial goes on. After the end a new period begins, which takes a payment method unless the plan is free.',
    access: manage,
    whileInactive: true,
    response: { 200: Subscription },
    errors: [notFound, conflict],
    handler: async (ctx) => presentSubscription(ctx, await reactivateSubscription(ctx)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/subscriptions/current/payment-method',
    summary: 'Put a payment method on file',
    description: 'Masked data only: whatever looks like a whole number is refused. What is due is paid with it.',
    access: manage,
    whileInactive: true,
    body: PaymentMethodPatch,
    check: checkMasked,
    response: { 200: Subscription },
    errors: [notFound],
    handler: async (ctx, { body }) => presentSubscription(ctx, await changePaymentMethod(ctx, body)),
  }),
]
