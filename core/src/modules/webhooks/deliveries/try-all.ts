import { type Ctx, deliver, eventBody, type Outcome } from '#kernel'
import { openHeaders } from '../headers.ts'
import { webhookSecrets } from '../secrets.ts'
import type { WebhookRow } from '../table.ts'
import type { DueDelivery } from './delivery-queries.ts'

/** A delivery that was sent, and what came of it. */
export interface Try extends Outcome {
  /** Until the answer, or until there was none. */
  readonly durationMs: number
  delivery: DueDelivery
  /** When it was sent. */
  at: string
}

/** Requests to one webhook at the same time. */
const AT_ONCE = 20
/** Of an answer, kept. */
const MAX_ANSWER_BYTES = 8 * 1024

/** Sends these, several at once. Once the receiver is in trouble no more are begun: they stay due. */
export async function tryAll(
  ctx: Ctx,
  { webhook, deliveries }: { webhook: WebhookRow; deliveries: readonly DueDelivery[] },
): Promise<Try[]> {
  const waiting = [...deliveries]
  const tries: Try[] = []
  const headers = openHeaders(ctx, webhook)
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const made = await tryOne(ctx, webhook, headers, next)
      tries.push(made)
      if (isTrouble(made)) waiting.length = 0
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, deliveries.length) }, work))
  return tries
}

async function tryOne(
  ctx: Ctx,
  webhook: WebhookRow,
  headers: Readonly<Record<string, string>> | null,
  delivery: DueDelivery,
): Promise<Try> {
  const at = ctx.clock.now()
  const body = bodyOf(delivery)
  if (body === null) return { ...NOT_SENT, delivery, at, error: 'The event is not kept any more' }
  if (headers === null)
    return { ...NOT_SENT, delivery, at, error: 'The headers cannot be read any more: set them anew' }
  const message = {
    id: delivery.event_id ?? delivery.id,
    body: JSON.stringify(body),
    contentType: 'application/json',
    headers,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }
  const startedAt = performance.now()
  const outcome = await deliver(ctx, webhookSecrets, webhook, message)
  const durationMs = outcome.durationMs ?? Math.round(performance.now() - startedAt)
  return { ...outcome, durationMs, delivery, at }
}

const NOT_SENT = { status: null, body: null, durationMs: 0, retryAfterMs: null }

/** What is sent; null: the event is not kept any more. */
export function bodyOf(delivery: DueDelivery): object | null {
  if (delivery.event_id === null) return delivery.payload as object // written by `sendTest`
  const { event_id: id, type, tenant_id, created_at, store_id, data } = delivery
  if (type === null) return null
  const { actor_type, actor_id, actor_label, impersonator_id } = delivery
  return eventBody({
    id,
    type,
    tenant_id,
    created_at,
    store_id,
    actor_type,
    actor_id,
    actor_label,
    impersonator_id,
    data,
  })
}

/** Its event is not kept any more, which says nothing about the receiver. */
export const isExpired = ({ event_id, type }: DueDelivery): boolean => event_id !== null && type === null

/** The receiver is not there, or has too much to do. */
const isTrouble = ({ status, delivery }: Try): boolean =>
  status === null ? !isExpired(delivery) : [410, 429, 502, 503, 504].includes(status)
