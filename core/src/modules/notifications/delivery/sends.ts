import {
  type ChannelMessage,
  type ChannelOutcome,
  Closed,
  type Ctx,
  defineJob,
  EMAIL,
  type NotificationDefinition,
  type NotifiedPerson,
  newId,
  Uuid,
} from '#kernel'
import { getTenant, tenantTimeZone } from '../../tenants/index.ts'
import { digestMail } from '../mails.ts'
import { findPreferences } from '../preferences/preference-queries.ts'
import { findNotification, listPeople } from '../queries.ts'
import type { NotificationRow, SendRow } from '../table.ts'
import { textsOf } from '../texts.ts'
import { addressOf, mailNow } from './mail-now.ts'
import { deleteDigest, deleteSend, findSend, insertSends } from './send-queries.ts'
import { findReached, waysOf } from './ways.ts'

/** Something that goes out later, or by a channel of a module. */
interface Waiting {
  notification_id: string
  user_id: string
  channel: string
  /** Null: at once. */
  at: string | null
  isDigest: boolean
}

/** Writes down what waits, and has it sent when it is due. */
export async function enqueueSends(ctx: Ctx, waiting: readonly Waiting[]): Promise<void> {
  const created_at = ctx.clock.now()
  const sends = waiting.map(({ at, isDigest, ...send }) => ({
    row: { tenant_id: ctx.tenantId, id: newId(), created_at, ...send, is_digest: isDigest },
    at,
  }))
  await insertSends(
    ctx.tx,
    sends.map(({ row }) => row),
  )
  for (const { row, at } of sends) await enqueueSend(ctx, row, at)
}

async function enqueueSend(ctx: Ctx, { id, user_id, channel, is_digest }: SendRow, at: string | null): Promise<void> {
  const runAt = at === null ? {} : { runAt: at }
  if (is_digest) await ctx.enqueue(sendDigest, { user_id }, { ...runAt, dedupeKey: `${sendDigest.name}:${user_id}` })
  else await ctx.enqueue(channel === EMAIL ? sendHeld : sendByChannel, { id }, runAt)
}

/** Mails what quiet hours held back, unless the person has switched it off meanwhile, or it is gone. */
export const sendHeld = defineJob('notifications.send_held', {
  payload: Closed({ id: Uuid }),
  handler: async (ctx, { id }) => {
    const send = await deleteSend(ctx.tx, ctx.tenantId, id)
    const found = send && (await findGoing(ctx, send))
    if (!found) return
    if (found.at !== null) return enqueueSends(ctx, [{ ...waitingOf(found.send), at: found.at }])
    await mailNow(ctx, found.kind, {
      ...found,
      data: found.notification.data,
      tenant: await getTenant(ctx.tx, ctx.tenantId),
    })
  },
})

/** Notifications that one digest tells in full; of more it says how many. */
const MOST_TOLD = 20

/** Mails a person what came since the last digest. */
export const sendDigest = defineJob('notifications.send_digest', {
  payload: Closed({ user_id: Uuid }),
  handler: async (ctx, { user_id }) => {
    const going: Going[] = []
    for (const send of await deleteDigest(ctx.tx, ctx.tenantId, user_id)) {
      const found = await findGoing(ctx, send)
      if (found) going.push(found)
    }
    const [first] = going
    if (!first) return
    const { person } = first
    const { email: to, locale, timezone, name } = person
    const tenant = await getTenant(ctx.tx, ctx.tenantId)
    const items = going.slice(0, MOST_TOLD).map(({ notification: { kind, data } }) => {
      const { title, message } = textsOf(ctx, kind, data, person)
      return { title, message }
    })
    const data = { name, tenantName: tenant.name, items, more: going.length - items.length }
    const unsubscribe = { kind: digestMail.kind, userId: user_id }
    await ctx.mail(digestMail, { to, locale, timezone, fromName: tenant.branding.email_from_name, unsubscribe, data })
  },
})

/** Sends by a channel that a module brings, in no transaction: after a crash it may go out twice, under the same id. */
export const sendByChannel = defineJob('notifications.send_by_channel', {
  payload: Closed({ id: Uuid }),
  transaction: 'manual',
  outbound: true,
  handler: async (ctx, { id }) => {
    const going = await ctx.transaction(async (ctx) => {
      const send = await findSend(ctx.tx, ctx.tenantId, id)
      return send && (await findGoing(ctx, send))
    })
    if (going?.at) {
      const { send, at } = going
      return ctx.transaction((ctx) => enqueueSend(ctx, send, at))
    }
    const outcome = going && (await sendOne(ctx, going))
    if (outcome === 'refused')
      ctx.log.warn({ channel: going?.send.channel, kind: going?.kind.kind }, 'a notification was refused for good')
    await ctx.transaction((ctx) => deleteSend(ctx.tx, ctx.tenantId, id))
  },
})

async function sendOne(ctx: Ctx, { send, notification, kind, person }: Going): Promise<ChannelOutcome> {
  const channel = ctx.registry.channels.get(send.channel)
  if (!channel) return 'refused'
  const { title, message, actions } = textsOf(ctx, kind.kind, notification.data, person)
  const [action] = actions
  const content: ChannelMessage = {
    id: notification.id,
    kind: kind.kind,
    type: notification.type,
    title,
    message,
    data: notification.data,
    link: action ? addressOf(ctx, action) : null,
    person,
    createdAt: notification.created_at,
  }
  return channel.send(ctx, content)
}

/** What is still to be sent, to whom, and until when it has to wait once more. */
interface Going {
  send: SendRow
  notification: NotificationRow
  kind: NotificationDefinition
  person: NotifiedPerson
  at: string | null
}

const waitingOf = ({ notification_id, user_id, channel, is_digest }: SendRow) => ({
  notification_id,
  user_id,
  channel,
  isDigest: is_digest,
})

/** Undefined when it is gone or expired, has no module any more, or goes to nobody by this channel. */
async function findGoing(ctx: Ctx, send: SendRow): Promise<Going | undefined> {
  const only = { ids: [send.user_id], holding: null, except: null, after: null, limit: 1 }
  const [notification, [person], preferences, tenantZone] = await Promise.all([
    findNotification(ctx.tx, ctx.tenantId, send.notification_id),
    listPeople(ctx.tx, ctx.tenantId, only),
    findPreferences(ctx.tx, ctx.tenantId, send.user_id),
    ctx.setting(tenantTimeZone),
  ])
  const kind = notification && ctx.registry.notifications.get(notification.kind)
  if (!notification || !person || !kind || isOver(ctx, notification)) return undefined
  const reached = await findReached(ctx, [person])
  const setting = { kind, tenantZone, nowMs: ctx.clock.ms(), reached, mailsOff: ctx.config.mail.off }
  const ways = waysOf(setting, person, preferences)
  const way = send.channel === EMAIL ? ways.email : ways.others.find(({ channel }) => channel === send.channel)
  // A digest goes out when it is due; what was to come in one and does not any more goes out with this one.
  return way ? { send, notification, kind, person, at: send.is_digest ? null : heldUntil(way) } : undefined
}

const heldUntil = (way: { at: string | null; isDigest?: boolean }) => (way.isDigest ? null : way.at)

const isOver = ({ clock }: Ctx, { expires_at }: NotificationRow) => expires_at !== null && expires_at <= clock.now()
