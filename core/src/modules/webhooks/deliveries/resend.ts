import { at, type Ctx, conflict, type FieldProblem, notFound } from '#kernel'
import { namesMeant } from '../../events/index.ts'
import { webhookResent } from '../events.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { getWebhook, lockWebhook, updateWebhook } from '../queries.ts'
import type { Replay, WebhookDelivery } from '../schema-deliveries.ts'
import type { WebhookRow } from '../table.ts'
import { updateDeliveryAgain } from './delivery-queries.ts'
import { readDelivery } from './read.ts'
import {
  countEvents,
  countReplayed,
  countSentAgain,
  MOST_LOOKED_AT,
  MOST_REPLAYED,
  type Replayed,
  updateWaiting,
} from './replay-queries.ts'
import { enqueueSending } from './send.ts'

/** Puts a delivery on its way again, at once and with its schedule from the start. Throws 404, 409 while it is off. */
export async function redeliver(ctx: Ctx, webhookId: string, id: string): Promise<WebhookDelivery> {
  const webhook = requireActive(await lockWebhook(ctx.tx, ctx.tenantId, webhookId))
  const place = { tenantId: ctx.tenantId, webhookId, id, now: ctx.clock.now() }
  if (!(await updateDeliveryAgain(ctx.tx, place))) throw notFound()
  await recordResent(ctx, webhook, { delivery_id: id, queued: 1 })
  await sendNow(ctx, webhook)
  return readDelivery(ctx, webhookId, id)
}

/**
 * Puts on their way what happened in a time, whether it was delivered or not, or only what has a status. What is on its way
 * already is left alone, unless it is asked for by that. Throws 404, 409 while the webhook is off, and for more than can be done at once.
 */
export async function replay(ctx: Ctx, webhookId: string, asked: Replay): Promise<{ queued: number }> {
  // Not locked: it may take a while, and whoever sends needs the row.
  const webhook = requireActive(await getWebhook(ctx.tx, ctx.tenantId, webhookId))
  const events = webhook.events.includes('*') ? null : namesMeant(webhook.events, ctx.registry.published.keys())
  const queued = await putOnTheirWay(ctx, webhook, { ...asked, events, now: ctx.clock.now() })
  await noteAsked(ctx, webhookId, asked)
  const { since, until, status = null } = asked
  await recordResent(ctx, webhook, { since, until, status, queued })
  if (queued > 0) await enqueueSending(ctx, webhookId)
  return { queued }
}

async function putOnTheirWay({ tx }: Ctx, webhook: WebhookRow, replayed: Replayed): Promise<number> {
  const { status } = replayed
  if (status !== undefined && status !== 'missed') {
    const queued = await countSentAgain(tx, webhook, { ...replayed, status })
    if (queued > MOST_REPLAYED) throw tooMany(MOST_REPLAYED)
    return queued
  }
  if ((await countEvents(tx, webhook, replayed)) > MOST_LOOKED_AT) throw tooMany(MOST_LOOKED_AT)
  const queued = await countReplayed(tx, webhook, replayed)
  if (queued > MOST_REPLAYED) throw tooMany(MOST_REPLAYED)
  return queued
}

const tooMany = (most: number) =>
  conflict({ detail: `More than ${most} events happened in that time: replay them in shorter periods` })

/** What of the missed time was asked for is missed no longer, from whichever end. */
async function noteAsked(ctx: Ctx, webhookId: string, { since, until, status }: Replay): Promise<void> {
  if (status !== undefined && status !== 'missed') return
  const webhook = await lockWebhook(ctx.tx, ctx.tenantId, webhookId)
  const { missed_since, missed_until } = webhook
  if (missed_since === null || missed_until === null) return
  const from = since <= missed_since && until > missed_since ? until : missed_since
  const to = until >= missed_until && since < missed_until ? since : missed_until
  if (from === missed_since && to === missed_until) return
  const rest = from < to ? { missed_since: from, missed_until: to } : { missed_since: null, missed_until: null }
  await updateWebhook(ctx.tx, webhook, { ...rest, updated_at: ctx.clock.now() })
}

/** Sends what is due, although its receiver may have asked to be left alone: now a person asks. */
export async function sendNow(ctx: Ctx, webhook: WebhookRow): Promise<void> {
  // A rate holds.
  if (webhook.next_attempt_at !== null && webhook.max_per_second === null)
    await updateWebhook(ctx.tx, webhook, { next_attempt_at: null })
  await enqueueSending(ctx, webhook.id)
}

/** Sends at once what waits for a webhook, each with its schedule from the start. */
export async function sendWaiting(ctx: Ctx, webhookId: string): Promise<void> {
  await updateWaiting(ctx.tx, { tenantId: ctx.tenantId, webhookId, now: ctx.clock.now() })
  await enqueueSending(ctx, webhookId)
}

/** Throws 409 while it is off. */
function requireActive(webhook: WebhookRow): WebhookRow {
  if (!webhook.is_active) throw conflict({ detail: 'The webhook is off: switch it on first' })
  return webhook
}

interface Resent {
  delivery_id?: string
  since?: string
  until?: string
  status?: string | null
  queued: number
}

const recordResent = (ctx: Ctx, webhook: WebhookRow, resent: Resent): Promise<void> =>
  ctx.emit(webhookResent, {
    after: { ...recordWebhook(webhook), delivery_id: null, since: null, until: null, status: null, ...resent },
    label: labelOf(webhook),
  })

/** For the route: a time begins before it ends. */
export function* checkSpan({ since, until }: { since?: unknown; until?: unknown }): Iterable<FieldProblem> {
  const [from, to] = [since, until].map((moment) => (typeof moment === 'string' ? Date.parse(moment) : Number.NaN))
  if (from !== undefined && to !== undefined && from > to) yield at('until', 'must not be earlier than since')
}
