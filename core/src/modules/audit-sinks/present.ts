import { recordUrl } from '#kernel'
import type { AuditSink, SinkRecord } from './schema.ts'
import type { SinkRow } from './table.ts'

/** A sink as it stands on the wire; `sealed`: how many of the tenant's records are. */
export function presentSink(row: SinkRow, sealed: number): AuditSink {
  return {
    tenant_id: row.tenant_id,
    id: row.id,
    url: row.url,
    description: row.description,
    status: row.status,
    paused_reason: row.paused_reason,
    last_error: row.last_error,
    backlog: Math.max(0, sealed - row.position),
    sent_until: row.sent_until,
    last_sent_at: row.last_sent_at,
    next_attempt_at: row.next_attempt_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** A sink as records keep it. */
export function recordSink(row: SinkRow): SinkRecord {
  return {
    tenant_id: row.tenant_id,
    id: row.id,
    ...recordUrl(row.url),
    description: row.description,
    secret: row.secret,
    status: row.status,
    paused_reason: row.paused_reason,
    last_error: row.last_error,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** What records call a sink. */
export function labelOf({ url }: Pick<SinkRow, 'url'>): string {
  return new URL(url).host
}
