import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import * as events from './events.ts'
import { collectCharge } from './life/lifecycle.ts'
import { openAllMissing, rollOver } from './life/renewal.ts'
import { openImported, openSubscription } from './life/trial.ts'
import { planAllowances } from './limits/limits.ts'
import { subscriptionNotices } from './notifications.ts'
import { findPlanOf, unknownPlans } from './plans.ts'
import { subscriptionRoutes } from './routes.ts'
import { subscriptionsSupport } from './support.ts'

export { browsePlans, createPlan, inspectPlan, type PlanRevision, removePlan, revisePlan } from './catalogue/plans.ts'
export { NewPlan, OfferedPlan, PlanPatch, PlanRecord } from './catalogue/schema.ts'
export { downgradeExceedsLimits, termsInvalid } from './errors.ts'
export * from './events.ts'
export { extendTrial, getState, settleCharge } from './life/lifecycle.ts'
export { type AttachedPaymentMethod, attachPaymentMethod } from './life/payment.ts'
export { changePlan, changeToAnyPlan } from './life/plan-change.ts'
export type { Collection, PaymentProvider } from './life/providers.ts'
export { type State, tenantOfCharge } from './life/states.ts'
export { presentInForce, readTerms, readUsage } from './limits/usage.ts'
export { presentPlan, presentSubscription } from './present.ts'
export { Plan, PlanChange, Subscription, Usage } from './schema.ts'
export type { Charge, PaymentMethod, PlanRow, SubscriptionRow } from './table.ts'
export { changeOverrides, type OverridesChange, presentOverrides } from './terms/overrides.ts'
export { browseRollouts, getRollout, type RolloutChange, removeRollout, setRollout } from './terms/rollouts.ts'
export {
  FeaturesInForce,
  FeaturesOverride,
  LimitsInForce,
  LimitsOverride,
  OverridesPatch,
  OverridesRecord,
  Rollout,
  RolloutParams,
  RolloutPatch,
} from './terms/schema.ts'

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
  exported: {
    // How it is paid for is between the tenant and whoever takes the payments of this installation.
    // What it gets beside its plan it gets in this one alone.
    subscriptions: {
      without: [
        'payment_method',
        'payment_provider',
        'payment_reference',
        'charge',
        'limits_override',
        'features_override',
      ],
      imported: {
        never: 'whoever runs the installation says what it pays',
        completed: openImported,
        planOf: findPlanOf,
      },
      // What is paid for now is not what was paid for then.
      restored: { isNamedOnly: true, keepsExtra: true },
    },
    limit_usage: {
      imported: { never: 'it is counted from the start of the new subscription on' },
      restored: { isNamedOnly: true, keepsExtra: true },
    },
  },
  support: [subscriptionsSupport],
  cases: () => import('./subscriptions.cases.ts'),
})
