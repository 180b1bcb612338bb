import type { FailureColumns, LeaseColumns, Selectable, SigningColumns, TenantRow } from '#kernel'

/** A place that a tenant's audit log is streamed to. */
export interface AuditSinkTable extends TenantRow, SigningColumns, FailureColumns, LeaseColumns {
  /** 1 to 3, unique in the tenant. */
  slot: number
  url: string
  description: string | null
  status: 'active' | 'paused'
  /** Why it is paused: somebody paused it, or its receiver took nothing for days. */
  paused_reason: 'by_hand' | 'failing' | null
  /** Of the last sealed record that was sent; 0: none. */
  position: number
  /** Of the last record of the batch that is being sent, or sent again, until the receiver has taken it. */
  batch_end: number | null
  /** When the last record that was sent had been made. */
  sent_until: string | null
  last_sent_at: string | null
}

declare module '#kernel' {
  interface Tables {
    audit_sinks: AuditSinkTable
  }
}

export type SinkRow = Selectable<AuditSinkTable>
