import { Answer, conflict, defineRoute, Page, type Route } from '#kernel'
import { pageDeliveries, readAttempts } from './deliveries/read.ts'
import { checkSpan, redeliver, replay } from './deliveries/resend.ts'
import { readStats } from './deliveries/stats.ts'
import { sendTest } from './deliveries/test-message.ts'
import { WebhookParams } from './schema.ts'
import {
  DeliveryParams,
  DeliveryQuery,
  Replay,
  Replayed,
  TestMessage,
  WebhookDelivery,
  WebhookDeliveryWithAttempts,
  WebhookStats,
} from './schema-deliveries.ts'

export const deliveryRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/webhooks/:id/deliveries',
    summary: 'List what is and was sent to a webhook',
    description: 'Newest event first; kept for 34 days.',
    access: { permission: 'webhook.view' },
    params: WebhookParams,
    query: DeliveryQuery,
    response: { 200: Page(WebhookDelivery) },
    handler: (ctx, { params, query: { status, event } }) =>
      pageDeliveries(ctx, params.id, { ...(status && { status }), ...(event && { event }) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/:id/deliveries/:delivery_id',
    summary: 'Get a delivery with every attempt',
    access: { permission: 'webhook.view' },
    params: DeliveryParams,
    response: { 200: WebhookDeliveryWithAttempts },
    handler: (ctx, { params }) => readAttempts(ctx, params.id, params.delivery_id),
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/:id/deliveries/:delivery_id/redeliver',
    name: 'redeliverWebhook',
    summary: 'Send a delivery again',
    description: 'At once, under the same `webhook-id`, whatever became of it; its schedule begins anew.',
    access: { permission: 'webhook.update' },
    params: DeliveryParams,
    response: { 202: WebhookDelivery },
    errors: [conflict],
    handler: async (ctx, { params }) => new Answer(202, await redeliver(ctx, params.id, params.delivery_id)),
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/:id/replay',
    summary: 'Send again what happened in a time',
    description:
      'From the 30 days that events are kept, also what happened before the webhook was there; under the same `webhook-id`s, oldest first. 10,000 at a time at most (409), found among 50,000 events.',
    access: { permission: 'webhook.update' },
    params: WebhookParams,
    body: Replay,
    check: checkSpan,
    response: { 200: Replayed },
    errors: [conflict],
    handler: (ctx, { params, body }) => replay(ctx, params.id, body),
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/:id/test',
    summary: 'Send a test to a webhook',
    description: 'Once, also while it is off. Its own id is its `webhook-id`.',
    access: { permission: 'webhook.update' },
    params: WebhookParams,
    body: TestMessage,
    response: { 202: WebhookDelivery },
    handler: async (ctx, { params, body }) => new Answer(202, await sendTest(ctx, params.id, body.event)),
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/:id/stats',
    summary: 'See how a webhook does',
    access: { permission: 'webhook.view' },
    params: WebhookParams,
    response: { 200: WebhookStats },
    handler: (ctx, { params }) => readStats(ctx, params.id),
  }),
]
