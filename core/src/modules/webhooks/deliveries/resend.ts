import { type Ctx, conflict, notFound } from '#kernel'
import { webhookResent } from '../events.ts'
import { eventsFor } from '../patterns.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { lockWebhook, updateWebhook } from '../queries.ts'
import type { Replay, WebhookDelivery } from '../schema-deliveries.ts'
import type { WebhookRow } from '../table.ts'
import { updateDeliveryAgain } from './delivery-queries.ts'
import { readDelivery } from './read.ts'
import { countReplayed, MOST_REPLAYED } from './replay-queries.ts'
import { enqueueSending } from './send.ts'

/** Puts a delivery on its way again, at once and with its schedule from the start. Throws 404, 409 while it is off. */
export async function redeliver(ctx: Ctx, webhookId: string, id: string): Promise<WebhookDelivery> {
  const webhook = await lockActive(ctx, webhookId)
  const place = { tenantId: ctx.tenantId, webhookId, id, now: ctx.clock.now() }
  if (!(await updateDeliveryAgain(ctx.tx, place))) throw notFound()
  await recordResent(ctx, webhook, { delivery_id: id, queued: 1 })
  await enqueueSending(ctx, webhookId)
  return readDelivery(ctx, webhookId, id)
}

/**
 * Puts on their way what happened in a time, whether it was delivered or not, or only what has a status. What is on its way
 * already is left alone. Throws 404, 409 while the webhook is off, and for more than ten thousand at once.
 */
export async function replay(
  ctx: Ctx,
  webhookId: string,
  { since, until, status }: Replay,
): Promise<{ queued: number }> {
  const webhook = await lockActive(ctx, webhookId)
  const events = webhook.events.includes('*') ? null : eventsFor(webhook.events, ctx)
  const queued = await countReplayed(ctx.tx, webhook, { since, until, status, events, now: ctx.clock.now() })
  if (queued > MOST_REPLAYED)
    throw conflict({ detail: `These are more than ${MOST_REPLAYED} events: replay them in shorter periods` })
  await noteAsked(ctx, webhook, { since, until })
  await recordResent(ctx, webhook, { since, until, status: status ?? null, queued })
  if (queued > 0) await enqueueSending(ctx, webhookId)
  return { queued }
}

/** What was missed is no longer, once all of it was asked for. */
async function noteAsked(
  ctx: Ctx,
  webhook: WebhookRow,
  { since, until }: Pick<Replay, 'since' | 'until'>,
): Promise<void> {
  const { missed_since, missed_until } = webhook
  if (missed_since === null || missed_until === null || since > missed_since || until < missed_until) return
  await updateWebhook(ctx.tx, webhook, { missed_since: null, missed_until: null, updated_at: ctx.clock.now() })
}

async function lockActive(ctx: Ctx, id: string): Promise<WebhookRow> {
  const webhook = await lockWebhook(ctx.tx, ctx.tenantId, id)
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
