import { defineEvent } from '#kernel'
import { LimitReached, SubscriptionRecord } from './schema.ts'
import { OverridesRecord } from './terms/schema.ts'

const data = SubscriptionRecord

export const subscriptionCreated = defineEvent('subscription.created', {
  description: 'A tenant began: with a trial, or on the free plan',
  data,
})
export const subscriptionChanged = defineEvent('subscription.changed', {
  description: 'Plan, period, payment or state of the subscription changed',
  data,
  published: true,
})
export const subscriptionCanceled = defineEvent('subscription.canceled', {
  description: 'The subscription was canceled and has ended',
  data,
  published: true,
})
export const subscriptionExpired = defineEvent('subscription.expired', {
  description: 'The subscription has ended: its trial is over, or what was due was not paid',
  data,
  published: true,
})
export const overridesChanged = defineEvent('subscription.overrides_changed', {
  description:
    'Who runs the installation gave the tenant a limit or feature in place of what its plan says, or took one back',
  data: OverridesRecord,
})
export const trialEnding = defineEvent('subscription.trial_ending', {
  description: 'The trial ends in three days',
  data,
})
export const subscriptionExpiring = defineEvent('subscription.expiring', {
  description:
    'The subscription ends in seven days, in three, or in one, unless it is paid or the cancellation taken back',
  data,
})
export const limitReached80 = defineEvent('limit.reached_80', {
  description: '80 % of what the plan allows is in use',
  data: LimitReached,
})
export const limitReached100 = defineEvent('limit.reached_100', {
  description: 'All that the plan allows is in use',
  data: LimitReached,
})
