import { type Ctx, DAYS, firstIdAt, greatest, SECONDS } from '#kernel'
import { getWebhook } from '../queries.ts'
import type { WebhookStats } from '../schema-deliveries.ts'
import { getAttemptStats, getBacklog } from './stats-queries.ts'

const WINDOW_MS = 7 * DAYS

/** How a webhook does. Throws 404. */
export async function readStats(ctx: Ctx, id: string): Promise<WebhookStats> {
  const { tx, tenantId, clock } = ctx
  const webhook = await getWebhook(tx, tenantId, id)
  const [attempts, backlog] = await Promise.all([
    getAttemptStats(tx, { tenantId, webhookId: id, from: firstIdAt(clock.ms() - WINDOW_MS) }),
    getBacklog(tx, tenantId, id),
  ])
  const { failures, failing_since } = webhook
  const { oldest_pending_at, next_due, pending } = backlog
  return {
    ...attempts,
    pending,
    oldest_pending_at,
    backlog_age_seconds:
      oldest_pending_at === null
        ? null
        : Math.max(0, Math.floor((clock.ms() - Date.parse(oldest_pending_at)) / SECONDS)),
    next_attempt_at: next_due === null || !webhook.is_active ? null : greatest(next_due, webhook.next_attempt_at),
    failures,
    failing_since,
  }
}
