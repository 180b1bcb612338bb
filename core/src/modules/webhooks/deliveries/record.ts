import {
  type Ctx,
  DELIVERY_LEASE_MS,
  fromNow,
  HOURS,
  MINUTES,
  newId,
  type RetryPolicy,
  retryDelayMs,
  SECONDS,
} from '#kernel'
import { webhookDisabled, webhookFailing } from '../events.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { updateWebhook } from '../queries.ts'
import type { AttemptRow, WebhookRow } from '../table.ts'
import { type DeliveryChange, insertAttempts, updateDeliveries } from './delivery-queries.ts'
import { LONGEST_PAUSE_MS, standingAfter, standingElsewhere } from './standing.ts'
import { isExpired, type Try } from './try-all.ts'

/** The schedule of the wire contract; the first attempt is made at once. */
export const RETRIES: RetryPolicy = {
  delaysMs: [5 * SECONDS, 5 * MINUTES, 30 * MINUTES, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOURS)],
  lastRepeats: false,
}
const MAX_BODY = 8192

/**
 * Stores what came of sending to where `tried` led, with what follows for the webhook, whose row is locked; its lease is as long
 * as a new one. Returns its row. When it leads elsewhere by now, nothing but its rate follows for it.
 */
export async function recordTries(
  ctx: Ctx,
  before: WebhookRow,
  { tried, tries }: { tried: Pick<WebhookRow, 'url'>; tries: readonly Try[] },
): Promise<WebhookRow> {
  if (tries.length === 0) return before
  const isMoved = before.url !== tried.url
  const results = tries.map((made): [AttemptRow, DeliveryChange] => {
    const attempt = attemptOf(before, made)
    return [attempt, changeOf(ctx, made, { attemptId: attempt.id, isMoved })]
  })
  // Sent together, since none needs what another gives.
  const stored = Promise.all([
    insertAttempts(
      ctx.tx,
      before.tenant_id,
      results.map(([attempt]) => attempt),
    ),
    updateDeliveries(
      ctx.tx,
      before.tenant_id,
      results.map(([, change]) => change),
    ),
  ])
  const lease = { locked_until: fromNow(ctx.clock, DELIVERY_LEASE_MS) }
  const { columns, isTold, isDisabled } = isMoved ? standingElsewhere(before, tries) : standingAfter(ctx, before, tries)
  const [after] = await Promise.all([updateWebhook(ctx.tx, before, { ...columns, ...lease }), stored])
  const record = { before: recordWebhook(before), after: recordWebhook(after), label: labelOf(after), storeId: null }
  if (isDisabled) await ctx.emit(webhookDisabled, record)
  else if (isTold) await ctx.emit(webhookFailing, record)
  return after
}

function attemptOf({ tenant_id, id: webhook_id }: WebhookRow, made: Try): AttemptRow {
  return {
    tenant_id,
    id: newId(),
    created_at: made.at,
    webhook_id,
    delivery_id: made.delivery.id,
    response_status: made.status,
    response_body: made.body === null ? null : textOf(made.body),
    error: made.error,
    duration_ms: made.durationMs,
  }
}

/** PostgreSQL stores no NUL. */
const textOf = (body: Buffer) => body.toString('utf8').replaceAll('\0', '\ufffd').slice(0, MAX_BODY)

function changeOf(
  { clock }: Ctx,
  { delivery, error, status, retryAfterMs }: Try,
  { attemptId, isMoved }: { attemptId: string; isMoved: boolean },
): DeliveryChange {
  const tries = delivery.tries + 1
  const common = { id: delivery.id, due: delivery.next_attempt_at, tries, last_attempt_id: attemptId }
  if (error === null) return { ...common, status: 'delivered', next_attempt_at: null, delivered_at: clock.now() }
  const isFinal = (status === 410 && !isMoved) || delivery.event_id === null || isExpired(delivery)
  const delay = isFinal ? null : retryDelayMs(RETRIES, tries)
  const { delivered_at } = delivery
  if (delay === null) return { ...common, status: 'failed', next_attempt_at: null, delivered_at }
  const pause = Math.min(retryAfterMs ?? 0, LONGEST_PAUSE_MS)
  return { ...common, status: 'pending', next_attempt_at: fromNow(clock, Math.max(delay, pause)), delivered_at }
}
