import { at, type Ctx, type EventBody, eventBody, invalidRequest, newId, type PublishedEvent, sampleOf } from '#kernel'
import { webhookTested } from '../events.ts'
import { labelOf, recordWebhook } from '../present.ts'
import { lockWebhook } from '../queries.ts'
import type { WebhookDelivery } from '../schema-deliveries.ts'
import { insertDelivery } from './delivery-queries.ts'
import { readDelivery } from './read.ts'
import { sendNow } from './resend.ts'

/** The name of a message that says nothing but that messages arrive. */
export const TEST_EVENT = 'webhook.test'

/** A message as it would be sent, of something that did not happen. */
export function sampleBody(
  ctx: Pick<Ctx, 'clock' | 'tenantId'>,
  { name, schema }: Pick<PublishedEvent, 'name' | 'schema'>,
): EventBody {
  return eventBody({
    id: '',
    type: name,
    tenant_id: ctx.tenantId,
    created_at: ctx.clock.now(),
    store_id: null,
    actor_type: 'system',
    actor_id: null,
    actor_label: 'system',
    impersonator_id: null,
    data: ofTenant(sampleOf(schema), ctx.tenantId),
  })
}

/** A receiver that files things by their tenant finds its own. */
const ofTenant = (data: unknown, tenant_id: string): unknown =>
  typeof data === 'object' && data !== null && 'tenant_id' in data ? { ...data, tenant_id } : data

/** Sends a test, once, also to a webhook that is off. Throws 404, 400 for an event that is not sent. */
export async function sendTest(ctx: Ctx, webhookId: string, name: string = TEST_EVENT): Promise<WebhookDelivery> {
  const webhook = await lockWebhook(ctx.tx, ctx.tenantId, webhookId)
  const event = ctx.registry.published.get(name)
  if (!event && name !== TEST_EVENT)
    throw invalidRequest({ errors: [at('event', 'is no event that is sent: GET /webhooks/events lists them')] })
  const body = event
    ? sampleBody(ctx, event)
    : { ...sampleBody(ctx, { name, schema: NOTHING }), data: { message: 'Messages arrive here.' } }
  const now = ctx.clock.now()
  const { id } = await insertDelivery(ctx.tx, {
    tenant_id: ctx.tenantId,
    id: newId(),
    created_at: now,
    webhook_id: webhookId,
    event_id: null,
    event: name,
    payload: JSON.stringify(body),
    status: 'pending',
    attempts: 0,
    tries: 0,
    next_attempt_at: now,
    delivered_at: null,
    last_attempt_id: null,
  })
  await ctx.emit(webhookTested, { after: recordWebhook(webhook), label: labelOf(webhook) })
  await sendNow(ctx, webhook)
  return readDelivery(ctx, webhookId, id)
}

const NOTHING = { type: 'object', properties: {} }
