import { Closed, defineNotification, EMAIL, type EventDefinition, follows, IN_APP, Type } from '#kernel'
import { webhookDisabled, webhookEnabled, webhookFailing } from './events.ts'
import type { WebhookRecord } from './schema.ts'

const data = Closed({ url: Type.String(), host: Type.String({ verbatim: true }) })
const audience = { permission: 'webhook.update' }
const channels = [IN_APP, EMAIL]

type WebhookEvent = EventDefinition<typeof WebhookRecord>
const about = (event: WebhookEvent, reason: string | null | undefined = undefined) =>
  follows(event, ({ after }) => {
    if (!after?.url || (reason !== undefined && after.disabled_reason !== reason)) return null
    return { data: { url: after.url, host: URL.parse(after.url)?.host ?? '' } }
  })

/** Nothing was taken for half of the time after which a webhook is switched off. */
export const failingNotice = defineNotification('webhook.failing', {
  type: 'warning',
  data,
  audience,
  channels,
  on: [about(webhookFailing)],
})

/** A webhook was switched off: nothing was taken for five days. */
export const disabledNotice = defineNotification('webhook.disabled', {
  type: 'error',
  data,
  audience,
  channels,
  on: [about(webhookDisabled, 'failing')],
})

/** A webhook was switched off: its server says that it is gone. */
export const goneNotice = defineNotification('webhook.gone', {
  type: 'error',
  data,
  audience,
  channels,
  on: [about(webhookDisabled, 'gone')],
})

/** A webhook that had switched itself off is on again. */
export const enabledNotice = defineNotification('webhook.enabled', {
  type: 'success',
  data,
  audience,
  channels,
  on: [about(webhookEnabled)],
})
