import { type Ctx, type PageOf, page, pickFields } from '#kernel'
import { getWebhook } from '../queries.ts'
import { type DeliveryFilter, WebhookDelivery, type WebhookDeliveryWithAttempts } from '../schema-deliveries.ts'
import { getDelivery, listAbout, listAttempts, listDeliveries, type ShownDelivery } from './delivery-queries.ts'
import { bodyOf } from './try-all.ts'

/** A delivery as it stands on the wire. */
export const presentDelivery = (row: ShownDelivery): WebhookDelivery =>
  pickFields(WebhookDelivery, { ...row, payload: bodyOf(row) as WebhookDelivery['payload'] }) // made of an event

/** The deliveries of a webhook, newest event first. Throws 404. */
export async function pageDeliveries(
  ctx: Ctx,
  webhookId: string,
  filter: DeliveryFilter,
): Promise<PageOf<WebhookDelivery>> {
  await getWebhook(ctx.tx, ctx.tenantId, webhookId)
  const list = listDeliveries(ctx.tx, ctx.tenantId, { webhookId, ...filter })
  const { data, next_cursor } = await page(ctx, list, { by: [{ column: 'd.id', as: 'id' }] })
  return { data: (await listAbout(ctx.tx, ctx.tenantId, data)).map(presentDelivery), next_cursor }
}

/** A delivery as it is now. Throws 404. */
export async function readDelivery(ctx: Ctx, webhookId: string, id: string): Promise<WebhookDelivery> {
  return presentDelivery(await getDelivery(ctx.tx, ctx.tenantId, webhookId, id))
}

/** The same with each attempt. Throws 404. */
export async function readAttempts(ctx: Ctx, webhookId: string, id: string): Promise<WebhookDeliveryWithAttempts> {
  await getWebhook(ctx.tx, ctx.tenantId, webhookId)
  const [delivery, attempts] = await Promise.all([
    readDelivery(ctx, webhookId, id),
    listAttempts(ctx.tx, ctx.tenantId, id),
  ])
  const shown = attempts.reverse().map(({ created_at: at, response_status, response_body, error, duration_ms }) => ({
    at,
    response_status,
    response_body,
    error,
    duration_ms,
  }))
  return { ...delivery, attempts: shown }
}
