import { type Core, checkUrlField, conflict, defineRoute, Page, type Route } from '#kernel'
import { readCatalogue } from './catalogue.ts'
import { addWebhook, changeWebhook, checkWebhook, pageWebhooks, readWebhook, removeWebhook } from './operations.ts'
import {
  NewWebhook,
  RotatedSecret,
  Rotation,
  Webhook,
  WebhookParams,
  WebhookPatch,
  WebhookQuery,
  WebhookWithSecret,
} from './schema.ts'
import { PublishedEvents } from './schema-deliveries.ts'
import { rotateSecret } from './secrets.ts'

const check = (body: Readonly<Record<string, unknown>>, core: Core) => [
  ...checkUrlField(body, core),
  ...checkWebhook(body, core),
]

export const webhookRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/webhooks',
    summary: 'List webhooks',
    description: 'Newest first.',
    access: { permission: 'webhook.view' },
    query: WebhookQuery,
    response: { 200: Page(Webhook) },
    handler: pageWebhooks,
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks',
    summary: 'Have events sent to a server',
    description:
      'Each event is sent at least once, signed as Standard Webhooks has it, its id as `webhook-id`. Any 2xx confirms it; else it is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h. The secret is shown here only; so no `Idempotency-Key` is taken.',
    access: { permission: 'webhook.create' },
    limit: 'webhooks',
    body: NewWebhook,
    check,
    response: { 201: WebhookWithSecret },
    errors: [conflict],
    handler: (ctx, { body }) => addWebhook(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/events',
    name: 'listWebhookEvents',
    summary: 'List the events that are sent',
    description: 'Each with the JSON Schema of its `data` and a sample of the whole message.',
    access: { permission: 'webhook.view' },
    response: { 200: PublishedEvents },
    handler: readCatalogue,
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/:id',
    summary: 'Get a webhook',
    access: { permission: 'webhook.view' },
    params: WebhookParams,
    response: { 200: Webhook },
    handler: (ctx, { params }) => readWebhook(ctx, params.id),
  }),
  defineRoute({
    method: 'PUT',
    path: '/webhooks/:id',
    summary: 'Change a webhook',
    description:
      'Headers are changed one by one; null takes one away. What happens while it is off is not noted for it: `missed_since` and `missed_until` then say what can be replayed.',
    access: { permission: 'webhook.update' },
    params: WebhookParams,
    body: WebhookPatch,
    check,
    response: { 200: Webhook },
    handler: (ctx, { params, body }) => changeWebhook(ctx, params.id, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/webhooks/:id',
    summary: 'Remove a webhook',
    description: 'What is on its way to it is not sent any more.',
    access: { permission: 'webhook.delete' },
    // Whoever pays no more must still be able to end it.
    whileInactive: true,
    params: WebhookParams,
    response: { 204: null },
    handler: (ctx, { params }) => removeWebhook(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/:id/rotate-secret',
    summary: 'Sign what a webhook sends with a new secret',
    description:
      'The previous secret signs too for `overlap_hours`. The new one is shown here only; so no `Idempotency-Key` is taken.',
    access: { permission: 'webhook.update' },
    // A secret that leaked is replaced whoever pays.
    whileInactive: true,
    params: WebhookParams,
    body: Rotation,
    response: { 200: RotatedSecret },
    handler: (ctx, { params, body }) => rotateSecret(ctx, params.id, body.overlap_hours ?? 24),
  }),
]
