/**
 * What an export of a tenant has of one of its tables. A column that is left out is in no export; `never`: no row is, for the reason
 * given, which completes "left out: …".
 */
export type ExportRule = 'whole' | { readonly without: readonly string[] } | { readonly never: string }

/** By table. A table of which no module says anything is exported whole. */
export type ExportRules = Readonly<Record<string, ExportRule>>

/** The kernel's own tables. */
export const KERNEL_EXPORTS: ExportRules = {
  audit_logs: 'whole',
  tenant_jobs: { never: 'work under way in this installation' },
  idempotency_keys: { never: 'answers kept for a day for requests that come again' },
  inbound_messages: { never: 'which messages of other servers have come in' },
  events: { never: 'the feed of this installation; what happened stands in audit_logs' },
  event_heads: { never: 'the place in the feed of this installation' },
}
