import type { FailureColumns, LeaseColumns, Selectable, SigningColumns, TenantRow } from '#kernel'

/** A place that a tenant's audit log is streamed to. */
export interface AuditSinkTable extends TenantRow, SigningColumns, FailureColumns, LeaseColumns {
  /** 1 to 3, unique in the tenant. */
  slot: number
  url: string
  description: string | null
  status: 'active' | 'paused'
  /** Why it is paused: by a person, or because its receiver accepted nothing for days. */
  paused_reason: 'by_hand' | 'failing' | null
  /** Position of the last sent record; 0: none. */
  position: number
  /** Position of the last record of the batch being sent, until the receiver has accepted it. */
  batch_end: number | null
  /** Time of the last sent record. */
  sent_until: string | null
  last_sent_at: string | null
}

declare module '#kernel' {
  interface Tables {
    audit_sinks: AuditSinkTable
  }
}

export type SinkRow = Selectable<AuditSinkTable>
