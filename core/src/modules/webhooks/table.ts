import type { FailureColumns, LeaseColumns, Selectable, SigningColumns, TenantRow } from '#kernel'

export const SIGNATURES = ['v1', 'v1a'] as const // words on the wire
export type Signature = (typeof SIGNATURES)[number]

/** A place that a tenant's events are sent to. */
export interface WebhookTable extends TenantRow, SigningColumns, FailureColumns, LeaseColumns {
  url: string
  description: string | null
  /** Names and patterns of events. */
  events: string[]
  /** Null: all stores, and what happens in none. */
  store_ids: string[] | null
  header_names: string[]
  /** Their values, sealed together. Null: there are none. */
  headers: string | null
  api_version: string
  signature: Signature
  max_per_second: number | null
  is_active: boolean
  /** Why it was switched off by itself. */
  disabled_reason: 'failing' | 'gone' | null
  /** When it was switched off. */
  off_since: string | null
  /** What happened between these was not noted for it. */
  missed_since: string | null
  missed_until: string | null
  /** When its receiver is tried next although it is off. */
  trial_at: string | null
  /** When its people were told that it fails. */
  told_at: string | null
}

/** An event on its way to a webhook. */
export interface WebhookDeliveryTable {
  tenant_id: string
  id: string
  created_at: string
  webhook_id: string
  /** Null: a test. */
  event_id: string | null
  event: string
  /** Of a test. */
  payload: unknown
  status: 'pending' | 'delivered' | 'failed'
  attempts: number
  /** Attempts since it was last put on its way. */
  tries: number
  next_attempt_at: string | null
  delivered_at: string | null
  last_attempt_id: string | null
}

/** What came of sending it once. */
export interface WebhookAttemptTable {
  tenant_id: string
  id: string
  created_at: string
  webhook_id: string
  delivery_id: string
  response_status: number | null
  response_body: string | null
  error: string | null
  duration_ms: number
}

declare module '#kernel' {
  interface Tables {
    webhooks: WebhookTable
    webhook_deliveries: WebhookDeliveryTable
    webhook_attempts: WebhookAttemptTable
  }
}

export type WebhookRow = Selectable<WebhookTable>
export type DeliveryRow = Selectable<WebhookDeliveryTable>
export type AttemptRow = Selectable<WebhookAttemptTable>
