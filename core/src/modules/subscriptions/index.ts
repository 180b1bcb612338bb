import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import * as events from './events.ts'
import { collectCharge } from './lifecycle.ts'
import { planAllowances } from './limits.ts'
import { subscriptionNotices } from './notifications.ts'
import { unknownPlans } from './plans.ts'
import { openAllMissing, rollOver } from './renewal.ts'
import { subscriptionRoutes } from './routes.ts'
import { openSubscription } from './trial.ts'

export { downgradeExceedsLimits } from './errors.ts'
export * from './events.ts'
export { getState, settleCharge } from './lifecycle.ts'
export { type AttachedPaymentMethod, attachPaymentMethod } from './payment.ts'
export { changePlan } from './plan-change.ts'
export { presentPlan, presentSubscription } from './present.ts'
export type { Collection, PaymentProvider } from './providers.ts'
export { Plan, Subscription } from './schema.ts'
export { type State, tenantOfCharge } from './states.ts'
export type { Charge, PaymentMethod, PlanRow, SubscriptionRow } from './table.ts'
export { readUsage } from './usage.ts'

/** Plans and the subscription of each tenant: its limits and features, whether it may write, and its payments. */
export const subscriptions = defineModule({
  name: 'subscriptions',
  description: 'What a tenant pays for: plans, limits, trial and payment method.',
  dependsOn: [tenants],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'subscription.view': 'See the subscription and what is in use',
    'subscription.manage': 'Change, cancel and pay the subscription',
  },
  events: Object.values(events),
  routes: subscriptionRoutes,
  jobs: [collectCharge],
  schedules: [rollOver, openAllMissing],
  allowances: planAllowances,
  notifications: subscriptionNotices,
  declarationProblems: unknownPlans,
  founding: openSubscription,
  cases: () => import('./subscriptions.cases.ts'),
})
