import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import { planAllowances } from './allowances.ts'
import { collectCharge } from './changing.ts'
import { unknownPlans } from './checking-declarations.ts'
import * as events from './events.ts'
import { openSubscription } from './opening.ts'
import { openAllMissing, rollOver } from './rolling-over.ts'
import { routes } from './routes.ts'

export { getState, settleCharge } from './changing.ts'
export { changePlan } from './changing-plan.ts'
export { downgradeExceedsLimits } from './errors.ts'
export * from './events.ts'
export { type AttachedPaymentMethod, attachPaymentMethod } from './paying.ts'
export { presentPlan, presentSubscription } from './present.ts'
export type { Collection, PaymentProvider } from './providers.ts'
export { Plan, Subscription } from './schema.ts'
export { type State, tenantOfCharge } from './states.ts'
export type { Charge, PaymentMethod, PlanRow, SubscriptionRow } from './table.ts'
export { readUsage } from './usage.ts'

/** Plans and what each tenant has of one: how much it may have, whether it may write, what it pays. */
export const subscriptions = defineModule({
  name: 'subscriptions',
  description: 'What a tenant pays for: plans, limits, trial and payment method.',
  dependsOn: [tenants],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'subscription.view': 'See the subscription and what is in use',
    'subscription.manage': 'Change, cancel and pay the subscription',
  },
  events: Object.values(events),
  routes,
  jobs: [collectCharge],
  schedules: [rollOver, openAllMissing],
  allowances: planAllowances,
  founding: openSubscription,
  declarationProblems: unknownPlans,
  cases: () => import('./subscriptions.cases.ts'),
})
