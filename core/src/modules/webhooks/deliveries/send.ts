import {
  type Ctx,
  DELIVERY_LEASE_MS,
  type DeliverySteps,
  defineJob,
  deliverInTurns,
  greatest,
  isFree,
  isHeld,
  NO_LEASE,
  newLease,
  type Overlap,
  systemActor,
  Type,
} from '#kernel'
import { findTenant } from '../../tenants/index.ts'
import { lockWebhookIfThere, updateWebhook } from '../queries.ts'
import type { WebhookRow } from '../table.ts'
import { type DueDelivery, findNextDue, listDue } from './delivery-queries.ts'
import { createLine } from './line.ts'
import { batchAfter, paceOf } from './pace.ts'
import { recordTries } from './record.ts'
import { type Try, tryAll } from './try-all.ts'

/** Sends what is due to a webhook. */
export const sendDeliveries = defineJob('webhooks.send', {
  payload: Type.Object({ webhook_id: Type.String() }),
  transaction: 'manual',
  outbound: 'receiver',
  maxAttempts: 25,
  handler: (job, { webhook_id }) => sendInTurns(job.as(systemActor), webhook_id),
})

async function sendInTurns(ctx: Ctx, webhookId: string): Promise<void> {
  const line = createLine(ctx)
  let last: Turn | null = null
  const noted = async (turn: Promise<Turn | null>) => {
    last = await turn
    return last
  }
  try {
    const steps: DeliverySteps<Turn, Try[]> = {
      begin: (inner) => noted(takeTurn(inner, webhookId)),
      send: (inner, turn) => tryAll(inner, { ...turn, line }),
      end: (inner, turn, tries, goesOn) => noted(endTurn(inner, turn, tries, goesOn)),
    }
    await deliverInTurns(ctx, steps, overlap)
  } catch (error) {
    // The job is tried again, and need not wait for a lease that nobody uses.
    if (last) await ctx.transaction((inner) => giveBack(inner, last as Turn | null)) // it is assigned in between
    throw error
  } finally {
    await line.close()
  }
}

async function giveBack(ctx: Ctx, turn: Turn | null): Promise<void> {
  const webhook = turn && (await lockWebhookIfThere(ctx.tx, ctx.tenantId, turn.webhook.id))
  if (webhook && isHeld(webhook, turn.webhook)) await updateWebhook(ctx.tx, webhook, NO_LEASE)
}

/** Enqueues sending after the commit, or at `runAt`; a waiting job is not added twice. */
export function enqueueSending(ctx: Ctx, webhookId: string, runAt?: string): Promise<void> {
  const dedupeKey = `${sendDeliveries.name}:${webhookId}`
  return ctx.as(systemActor).enqueue(sendDeliveries, { webhook_id: webhookId }, { dedupeKey, ...(runAt && { runAt }) })
}

/** Deliveries to be sent together, and the row of their webhook with the lease to do so. */
export interface Turn {
  webhook: WebhookRow
  deliveries: readonly DueDelivery[]
  /** As many as were asked for: there may be more. */
  isFull: boolean
}

/** Null when there is nothing to send, or another process sends. */
async function takeTurn(ctx: Ctx, webhookId: string): Promise<Turn | null> {
  const webhook = await lockWebhookIfThere(ctx.tx, ctx.tenantId, webhookId)
  if (!webhook) return null
  if (isFree(webhook, ctx.clock)) return nextTurn(ctx, webhook)
  // Whoever sends now may die.
  await enqueueSending(ctx, webhookId, greatest(webhook.locked_until ?? '', webhook.next_attempt_at ?? ''))
  return null
}

/** The next turn of a webhook whose row is locked and to which no process sends; this process gets the lease. */
async function nextTurn(ctx: Ctx, webhook: WebhookRow): Promise<Turn | null> {
  const { tenant_id: tenantId, id: webhookId } = webhook
  const { batch: limit } = paceOf(webhook)
  const now = ctx.clock.now()
  const [tenant, due] = await Promise.all([
    findTenant(ctx.tx, tenantId),
    listDue(ctx.tx, { tenantId, webhookId, now, limit, onlyTests: !webhook.is_active }),
  ])
  const isServed = tenant?.status !== 'deleted'
  if (isServed && due.length > 0) {
    const lease = newLease(ctx.clock, DELIVERY_LEASE_MS)
    return { webhook: await updateWebhook(ctx.tx, webhook, lease), deliveries: due, isFull: due.length === limit }
  }
  if (webhook.locked_by !== null) await updateWebhook(ctx.tx, webhook, NO_LEASE)
  if (!isServed || !webhook.is_active) return null
  const next = await findNextDue(ctx.tx, tenantId, webhookId)
  if (next !== undefined) await enqueueSending(ctx, webhookId, next)
  return null
}

/** Stores what came of a turn; returns the next one when there is one and `goesOn`. */
async function endTurn(ctx: Ctx, turn: Turn, tries: readonly Try[], goesOn: boolean): Promise<Turn | null> {
  const before = await lockWebhookIfThere(ctx.tx, ctx.tenantId, turn.webhook.id)
  if (!before || !isHeld(before, turn.webhook)) return null
  const webhook = await recordTries(ctx, before, { tried: turn.webhook, tries })
  if (goesOn && isFree({ locked_until: null, next_attempt_at: webhook.next_attempt_at }, ctx.clock))
    return nextTurn(ctx, webhook)
  const after = await updateWebhook(ctx.tx, webhook, NO_LEASE)
  await enqueueSending(ctx, after.id, after.next_attempt_at ?? undefined)
  return null
}

/** While everything is taken as fast as it comes, what was sent is written down while more is sent. */
const overlap: Overlap<Turn, Try[]> = {
  async ahead({ tx, clock }, { webhook, deliveries, isFull }) {
    const after = deliveries.at(-1)
    if (!after || !isFull || !webhook.is_active) return null
    const { tenant_id: tenantId, id: webhookId } = webhook
    const limit = batchAfter(deliveries)
    const due = await listDue(tx, { tenantId, webhookId, now: clock.now(), limit, onlyTests: false, after })
    return due.length > 0 ? { webhook, deliveries: due, isFull: due.length === limit } : null
  },
  isSmooth: ({ webhook, deliveries }, tries) =>
    webhook.max_per_second === null && tries.length === deliveries.length && tries.every(({ error }) => error === null),
  async store(ctx, turn, tries) {
    const before = await lockWebhookIfThere(ctx.tx, ctx.tenantId, turn.webhook.id)
    if (!before || !isHeld(before, turn.webhook)) return 'lost'
    const webhook = await recordTries(ctx, before, { tried: turn.webhook, tries })
    // Of a new secret or rate, say, the turn after the next hears.
    return webhook.is_active && webhook.updated_at === turn.webhook.updated_at ? 'on' : 'last'
  },
}
