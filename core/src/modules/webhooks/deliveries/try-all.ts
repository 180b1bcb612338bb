import { type Ctx, deliver, eventBody, type OutboundSession, type Outcome, SECONDS, type SigningSecrets } from '#kernel'
import { openHeaders } from '../headers.ts'
import { webhookSecrets } from '../secrets.ts'
import type { WebhookRow } from '../table.ts'
import type { DeliveryOfEvent, DueDelivery } from './delivery-queries.ts'
import { AT_ONCE, type Line } from './line.ts'

/** A delivery that was sent, and what came of it. */
export interface Try extends Outcome {
  /** Until the answer, or until there was none. */
  readonly durationMs: number
  delivery: DueDelivery
  /** When it was sent. */
  at: string
}

/** None of those sent together is begun later: of a slow receiver, too, it is soon stored what it took. */
const BEGUN_WITHIN_MS = 5 * SECONDS
/** Of an answer, kept. */
const MAX_ANSWER_BYTES = 8 * 1024

/** Sends these, several at once. Once the receiver is in trouble, or slow, no more are begun: they stay due. */
export async function tryAll(
  ctx: Ctx,
  { webhook, deliveries, line }: { webhook: WebhookRow; deliveries: readonly DueDelivery[]; line: Line },
): Promise<Try[]> {
  const waiting = [...deliveries]
  const tries: Try[] = []
  const to: Destination = {
    webhook,
    headers: openHeaders(ctx, webhook),
    secrets: openedOnce(),
    session: await line.to(webhook.url),
  }
  const until = performance.now() + BEGUN_WITHIN_MS
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const made = await tryOne(ctx, to, next)
      tries.push(made)
      if (isTrouble(made) || performance.now() > until) waiting.length = 0
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, deliveries.length) }, work))
  return tries
}

interface Destination {
  webhook: WebhookRow
  /** Null: they cannot be read. */
  headers: Readonly<Record<string, string>> | null
  secrets: SigningSecrets
  session: OutboundSession
}

/** Opens the secrets of one webhook for the first message: for each of many that would take as long as signing it. */
function openedOnce(): SigningSecrets {
  let opened: string[] | undefined
  return { ...webhookSecrets, open: (tools, row) => (opened ??= webhookSecrets.open(tools, row)) }
}

async function tryOne(
  ctx: Ctx,
  { webhook, headers, secrets, session }: Destination,
  delivery: DueDelivery,
): Promise<Try> {
  const at = ctx.clock.now()
  const body = bodyOf(delivery)
  if (body === null) return { ...NOT_SENT, delivery, at, error: 'The event is not kept any more' }
  if (headers === null) return { ...NOT_SENT, delivery, at, error: HEADERS_LOST }
  const message = {
    id: delivery.event_id ?? delivery.id,
    body: JSON.stringify(body),
    contentType: 'application/json',
    headers,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }
  const startedAt = performance.now()
  const outcome = await deliver(ctx, secrets, webhook, message, session)
  const durationMs = outcome.durationMs ?? Math.round(performance.now() - startedAt)
  return { ...outcome, durationMs, delivery, at }
}

/** They were sealed with an APP_SECRET that is no longer configured. */
export const HEADERS_LOST = 'The headers cannot be read any more: set them anew'
const NOT_SENT = { status: null, body: null, durationMs: 0, retryAfterMs: null }

/** What is sent; null: the event is not kept any more. */
export function bodyOf(delivery: DeliveryOfEvent): object | null {
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
