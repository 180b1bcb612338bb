import type { Selectable, TenantRow } from '#kernel'

/** A place that a tenant's audit log is streamed to. */
export interface AuditSinkTable extends TenantRow {
  /** 1 to 3, unique in the tenant. */
  slot: number
  url: string
  description: string | null
  /** Sealed for this sink. */
  secret: string
  /** Sealed; signs too until `previous_until`. */
  previous_secret: string | null
  previous_until: string | null
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
  /** Attempts since the receiver last took something. */
  failures: number
  failing_since: string | null
  last_error: string | null
  /** Not before then, after a failure. */
  next_attempt_at: string | null
  /** Who sends, and until when it is taken for alive. */
  locked_by: string | null
  locked_until: string | null
}

declare module '#kernel' {
  interface Tables {
    audit_sinks: AuditSinkTable
  }
}

export type SinkRow = Selectable<AuditSinkTable>
