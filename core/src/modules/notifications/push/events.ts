import { defineEvent } from '#kernel'
import { PushSubscription } from './schema.ts'

export const pushSubscriptionCreated = defineEvent('push_subscription.created', {
  description: 'Notifications are pushed to a browser from now on',
  data: PushSubscription,
})
export const pushSubscriptionDeleted = defineEvent('push_subscription.deleted', {
  description:
    'Notifications are pushed to a browser no longer: at the wish of its person, or since it or its session is gone',
  data: PushSubscription,
})
