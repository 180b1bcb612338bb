import { type Clock, type NotificationDefinition, SECONDS, sha256 } from '#kernel'
import type { NotificationRow } from '../table.ts'
import type { SubscriptionSecrets } from './sealed.ts'
import type { Vapid } from './vapid.ts'

export interface PushMessage {
  secrets: SubscriptionSecrets
  notification: NotificationRow
  kind: NotificationDefinition
  /** In the person's language. */
  content: { title: string; message: string; link: string | null }
}

/** Push services keep a message for a browser that is off; what is a day old is news no longer. */
const KEPT_SECONDS = 24 * 60 * 60
/** RFC 8291: what is encrypted has at most 3,993 bytes. */
const MOST_BYTES = 3_900

/** The request that has a push service deliver a message, encrypted for the browser alone (RFC 8030, 8188, 8291, 8292). */
export async function encryptMessage(clock: Clock, vapid: Vapid, message: PushMessage) {
  const { secrets, notification, kind } = message
  // Loaded where something is pushed.
  const { default: webPush } = await import('web-push')
  const {
    endpoint,
    method: _,
    headers,
    body,
  } = webPush.generateRequestDetails(
    { endpoint: secrets.endpoint, keys: { p256dh: secrets.p256dh, auth: secrets.auth } },
    payloadOf(message),
    {
      vapidDetails: vapid,
      TTL: secondsLeft(clock, notification.expires_at),
      contentEncoding: 'aes128gcm',
      urgency: kind.security || notification.type === 'error' ? 'high' : 'normal',
      topic: topicOf(notification),
    },
  )
  const sent = Object.entries(headers as Record<string, string | number>) // as the library makes them
  return { url: endpoint, headers: Object.fromEntries(sent.map(([name, value]) => [name, String(value)])), body }
}

/** What a service worker gets. A message that is too long is cut. */
function payloadOf({ notification: { id, type, created_at }, kind: { kind }, content }: PushMessage): string {
  const write = (message: string) => JSON.stringify({ id, kind, type, ...content, message, created_at })
  let { message } = content
  while (Buffer.byteLength(write(message)) > MOST_BYTES && message.length > 1)
    message = `${message.slice(0, Math.floor(message.length * 0.8)).toWellFormed()}…`
  return write(message)
}

const secondsLeft = (clock: Clock, expiresAt: string | null): number =>
  expiresAt === null
    ? KEPT_SECONDS
    : Math.max(0, Math.min(KEPT_SECONDS, Math.floor((Date.parse(expiresAt) - clock.ms()) / SECONDS)))

/** Of several that a browser has not got yet, the latest of a topic counts. */
const topicOf = ({ id, user_id, group_key }: NotificationRow): string =>
  sha256(group_key === null ? id : `${user_id}:${group_key}`)
    .toString('base64url')
    .slice(0, 32)
