import { pickFields, recordUrl } from '#kernel'
import { HIDDEN } from './headers.ts'
import { Webhook, WebhookRecord } from './schema.ts'
import type { WebhookRow } from './table.ts'

/** A webhook as it stands on the wire: never with the values of its headers. */
export function presentWebhook(row: WebhookRow): Webhook {
  const headers = Object.fromEntries(row.header_names.map((name) => [name, HIDDEN]))
  return pickFields(Webhook, { ...row, headers })
}

/** A webhook as records keep it. */
export const recordWebhook = (row: WebhookRow): WebhookRecord =>
  pickFields(WebhookRecord, { ...row, ...recordUrl(row.url) })

/** The name of a webhook in records. */
export const labelOf = ({ url }: Pick<WebhookRow, 'url'>): string => new URL(url).host
