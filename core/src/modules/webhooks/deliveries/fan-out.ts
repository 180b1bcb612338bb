import type { Dispatcher } from '#kernel'
import { insertDeliveries } from './delivery-queries.ts'
import { enqueueSending } from './send.ts'

/** Notes what a transaction publishes for each webhook that asks for it, and has it sent after the commit. */
export const fanOut: Dispatcher = async (ctx, events) => {
  const webhooks = await insertDeliveries(ctx.tx, ctx.tenantId, events, ctx.clock.now())
  // In one order, as any other transaction does: each takes the waiting job of its webhook.
  for (const id of [...new Set(webhooks)].sort()) await enqueueSending(ctx, id)
}
