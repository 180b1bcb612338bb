import { Closed, defineEvent, Nullable, Timestamp, Type } from '#kernel'
import { WebhookRecord } from './schema.ts'

const data = WebhookRecord

export const webhookCreated = defineEvent('webhook.created', {
  description: 'Events are sent to one more place',
  data,
})
export const webhookUpdated = defineEvent('webhook.updated', {
  description: 'A webhook leads elsewhere, gets other events, or was switched on or off',
  data,
})
export const webhookDeleted = defineEvent('webhook.deleted', { description: 'A webhook was removed', data })
export const webhookSecretRotated = defineEvent('webhook.secret_rotated', {
  description: 'Messages of a webhook are signed with a new secret',
  data,
})
export const webhookFailing = defineEvent('webhook.failing', {
  description: 'The receiver of a webhook has taken nothing for two and a half days; after five it is switched off',
  data,
})
export const webhookDisabled = defineEvent('webhook.disabled', {
  description: 'A webhook was switched off by itself: nothing was taken for five days, or its receiver is gone',
  data,
})
export const webhookEnabled = defineEvent('webhook.enabled', {
  description: 'The receiver of a webhook that was switched off by itself answers again, so it was switched on',
  data,
})
export const webhookTested = defineEvent('webhook.tested', { description: 'A test was sent to a webhook', data })

/** What was asked to be sent again. */
const Resent = Closed({
  ...WebhookRecord.properties,
  delivery_id: Nullable(Type.String()),
  since: Nullable(Timestamp),
  until: Nullable(Timestamp),
  status: Nullable(Type.String()),
  queued: Type.Integer(),
})

export const webhookResent = defineEvent('webhook.resent', {
  description: 'Deliveries of a webhook were put on their way again: one, or those of a time',
  data: Resent,
})
