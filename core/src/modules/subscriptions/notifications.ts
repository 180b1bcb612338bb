import { Closed, DAYS, defineNotification, EMAIL, follows, IN_APP, Type } from '#kernel'
import { limitReached80, limitReached100, subscriptionChanged, subscriptionExpiring, trialEnding } from './events.ts'

const audience = { permission: 'subscription.manage' }
const channels = [IN_APP, EMAIL]
const plan = Type.String({ examples: ['Starter'] })
const ends_at = Type.String({ format: 'date-time' })

const daysUntil = (end: string, now: string) => Math.max(1, Math.ceil((Date.parse(end) - Date.parse(now)) / DAYS))

/** The subscription ends, unless something is done. */
export const subscriptionExpiringNotice = defineNotification('subscription.expiring', {
  type: 'warning',
  data: Closed({ plan, ends_at, days: Type.Integer() }),
  audience,
  channels,
  groupKey: () => 'subscription.expiring',
  expiresAt: ({ ends_at }) => ends_at,
  on: [
    follows(subscriptionExpiring, ({ after, at }) => {
      // What ends is the time to pay, where something is due; else the period, which a trial is as well.
      const end = after?.grace_ends_at ?? after?.current_period_end
      if (!after?.plan || !end) return null
      return { data: { plan: after.plan.name, ends_at: end, days: daysUntil(end, at) } }
    }),
  ],
})

/** The trial is over soon. */
export const trialEndingNotice = defineNotification('subscription.trial_ending', {
  type: 'info',
  data: Closed({ plan, ends_at, days: Type.Integer() }),
  audience,
  channels,
  groupKey: () => 'subscription.trial_ending',
  expiresAt: ({ ends_at }) => ends_at,
  on: [
    follows(trialEnding, ({ after, at }) => {
      const end = after?.trial_ends_at
      if (!after?.plan || !end) return null
      return { data: { plan: after.plan.name, ends_at: end, days: daysUntil(end, at) } }
    }),
  ],
})

/** A payment was declined, or something is due that nobody pays for. */
export const paymentFailedNotice = defineNotification('subscription.payment_failed', {
  type: 'error',
  data: Closed({ plan, pay_until: ends_at }),
  audience,
  channels,
  groupKey: () => 'subscription.payment_failed',
  on: [
    follows(subscriptionChanged, ({ before, after }) => {
      const isNew = after?.status === 'past_due' && before?.status !== 'past_due'
      if (!isNew || !after.plan || !after.grace_ends_at) return null
      return { data: { plan: after.plan.name, pay_until: after.grace_ends_at } }
    }),
  ],
})

/** Once for each time that 80 % or all of what the plan allows come into use. */
export const limitApproachingNotice = defineNotification('limit.approaching', {
  type: 'warning',
  // What the limit is called is said by the module that declares it.
  data: Closed({
    limit: Type.String(),
    title: Type.String({ verbatim: true }),
    used: Type.Integer(),
    max: Type.Integer(),
  }),
  audience,
  channels,
  groupKey: ({ limit }) => `limit.approaching:${limit}`,
  on: [limitReached80, limitReached100].map((event) =>
    follows(event, ({ after }, { registry }) => {
      if (after?.limit === undefined || after.used === undefined || after.max === undefined) return null
      const { title = after.limit, holds } = registry.limits.get(after.limit) ?? {}
      // Nobody reads bytes.
      const [unit, shown] = holds === 'bytes' ? [1_000_000, `${title} (MB)`] : [1, title]
      const [used, max] = [Math.round(after.used / unit), Math.round(after.max / unit)]
      return { data: { limit: after.limit, title: shown, used, max } }
    }),
  ),
})

/** All that this module tells. */
export const subscriptionNotices = [
  subscriptionExpiringNotice,
  trialEndingNotice,
  paymentFailedNotice,
  limitApproachingNotice,
]
