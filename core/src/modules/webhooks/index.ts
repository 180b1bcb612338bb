import { defineModule, HOURS, MINUTES } from '#kernel'
import { events as feed } from '../events/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { findBacklog } from './deliveries/backlog.ts'
import { fanOut } from './deliveries/fan-out.ts'
import { sendDeliveries } from './deliveries/send.ts'
import { findTrials, tryAgain } from './deliveries/trial.ts'
import * as events from './events.ts'
import { sealedHeaders } from './headers.ts'
import { importedWebhooks, restoredWebhooks } from './imported.ts'
import { disabledNotice, enabledNotice, failingNotice, goneNotice } from './notifications.ts'
import { webhookRoutes } from './routes.ts'
import { deliveryRoutes } from './routes-deliveries.ts'
import { MAX_OVERLAP_HOURS } from './schema.ts'
import { webhookSecrets } from './secrets.ts'
import { webhooksSupport } from './support.ts'

export * from './events.ts'
export { Webhook } from './schema.ts'
export { WebhookDelivery } from './schema-deliveries.ts'

/** Sends what happens in a tenant to servers that it names: signed, at least once, for days if it has to be. */
export const webhooks = defineModule({
  name: 'webhooks',
  description: "Servers of a tenant's own that its events are sent to.",
  dependsOn: [tenants, stores, feed],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'webhook.view': 'See webhooks, and what is sent to them',
    'webhook.create': 'Have events sent to other servers',
    'webhook.update': 'Change webhooks, and have things sent again',
    'webhook.delete': 'Remove webhooks',
  },
  limits: {
    webhooks: { title: 'Webhooks', counts: 'webhooks', plans: { free: 1, starter: 5 } },
  },
  events: Object.values(events),
  routes: [...webhookRoutes, ...deliveryRoutes],
  dispatcher: fanOut,
  jobs: [sendDeliveries, tryAgain],
  schedules: [findBacklog, findTrials],
  notifications: [failingNotice, disabledNotice, goneNotice, enabledNotice],
  sealed: [webhookSecrets.sealed, sealedHeaders],
  // A receiver may ask for a day at most, and the last delay is one and an eighth; a sender without a sign of life for a
  // minute counts as dead.
  moments: [
    { table: 'webhooks', column: 'next_attempt_at', aheadMs: 25 * HOURS },
    { table: 'webhooks', column: 'trial_at', aheadMs: 2 * HOURS },
    { table: 'webhooks', column: 'locked_until', aheadMs: 2 * MINUTES },
    { table: 'webhooks', column: 'failing_since', aheadMs: 5 * MINUTES },
    { table: 'webhooks', column: 'off_since', aheadMs: 5 * MINUTES },
    { table: 'webhooks', column: 'previous_until', aheadMs: MAX_OVERLAP_HOURS * HOURS },
    { table: 'webhook_deliveries', column: 'next_attempt_at', aheadMs: 28 * HOURS },
  ],
  exported: {
    // Values of headers are credentials.
    webhooks: {
      without: ['headers', 'secret', 'previous_secret', 'previous_until', 'locked_by', 'locked_until'],
      imported: importedWebhooks,
      restored: restoredWebhooks,
    },
    webhook_deliveries: { never: 'what this installation has sent, or has still to send' },
    webhook_attempts: { never: 'what this installation has sent' },
  },
  support: [webhooksSupport],
  cases: () => import('./webhooks.cases.ts'),
})
