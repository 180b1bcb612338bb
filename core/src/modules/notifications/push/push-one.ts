import {
  Closed,
  type Ctx,
  defineJob,
  fromNow,
  HOURS,
  MINUTES,
  OutboundError,
  type RetryPolicy,
  retryDelayMs,
  SECONDS,
  Type,
  Uuid,
} from '#kernel'
import { findSession } from '../../auth/index.ts'
import { addressOf } from '../delivery/mail-now.ts'
import { isUnread } from '../present.ts'
import { findCounts, findNotification, listPeople } from '../queries.ts'
import { textsOf } from '../texts.ts'
import { encryptMessage, type PushMessage } from './encrypt.ts'
import { findSubscription } from './push-queries.ts'
import { openSubscription } from './sealed.ts'
import { forget } from './subscriptions.ts'
import { vapidOf } from './vapid.ts'

/** After a failure of the push service; what is a day old is news no longer. */
const RETRIES: RetryPolicy = {
  delaysMs: [30 * SECONDS, 2 * MINUTES, 10 * MINUTES, 1 * HOURS, 4 * HOURS],
  lastRepeats: false,
}
const ANSWER_MS = 15 * SECONDS

/** Pushes a notification to one browser, in no transaction: after a crash it may go out twice, and then takes its own place. */
export const pushOne = defineJob('notifications.push', {
  payload: Closed({ id: Uuid, notification_id: Uuid, failures: Type.Integer() }),
  transaction: 'manual',
  outbound: true,
  handler: async (ctx, { id, notification_id, failures }) => {
    const message = await ctx.transaction((ctx) => findMessage(ctx, id, notification_id))
    if (!message) return
    const outcome = await send(ctx, message)
    if (outcome === 'gone') return ctx.transaction((ctx) => forget(ctx, id))
    const delay = outcome === 'failed' ? retryDelayMs(RETRIES, failures + 1) : null
    if (delay === null) return
    const again = { id, notification_id, failures: failures + 1 }
    await ctx.transaction((ctx) => ctx.enqueue(pushOne, again, { runAt: fromNow(ctx.clock, delay) }))
  },
})

/** Null: there is nothing to push any more. A subscription whose session has ended goes with it. */
async function findMessage(ctx: Ctx, id: string, notificationId: string): Promise<PushMessage | null> {
  const { tx, tenantId, clock } = ctx
  const subscription = await findSubscription(tx, tenantId, id)
  if (!subscription) return null
  const only = { ids: [subscription.user_id], holding: null, except: null, after: null, limit: 1 }
  const [session, [person], notification, counts] = await Promise.all([
    findSession(tx, subscription.session_id),
    listPeople(tx, tenantId, only),
    findNotification(tx, tenantId, notificationId),
    findCounts(tx, tenantId, subscription.user_id),
  ])
  const isSignedIn =
    session?.user_id === subscription.user_id && session.revoked_at === null && session.expires_at > clock.now()
  const secrets = openSubscription(ctx, subscription)
  if (!isSignedIn || !secrets) {
    await forget(ctx, id)
    return null
  }
  const kind = notification && ctx.registry.notifications.get(notification.kind)
  if (!person || !kind || notification.user_id !== subscription.user_id) return null
  if (notification.expires_at !== null && notification.expires_at <= clock.now()) return null
  // What was read meanwhile needs no push. What is in no list cannot be read there.
  if (notification.seq !== null && counts && !isUnread(notification, counts)) return null
  const { title, message, actions } = textsOf(ctx, kind.kind, notification.data, person)
  const [action] = actions
  const link = action ? addressOf(ctx, action) : null
  return { secrets, notification, kind, content: { title, message, link } }
}

type Outcome = 'sent' | 'gone' | 'failed' | 'refused'

async function send(ctx: Ctx, message: PushMessage): Promise<Outcome> {
  const vapid = vapidOf(ctx)
  if (!vapid) return 'refused'
  const { url, headers, body } = await encryptMessage(ctx.clock, vapid, message)
  try {
    const request = { url, method: 'POST', headers, body, timeoutMs: ANSWER_MS, maxAnswerBytes: 0 } as const // a word is a type
    const { status } = await ctx.outbound.send(request)
    if (status >= 200 && status < 300) return 'sent'
    if (status === 404 || status === 410) return 'gone'
    if (status === 429 || status >= 500) return 'failed'
    ctx.log.warn({ status, kind: message.kind.kind }, 'a push service refused a notification')
    return 'refused'
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    ctx.log.info({ reason: error.reason, code: error.code }, 'a push service could not be reached')
    return 'failed'
  }
}
