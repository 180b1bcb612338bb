import { type ImportRule, problemOfOutboundUrl, type RestoreRule } from '#kernel'
import { NewAuditSink } from './schema.ts'
import { sinkSecrets } from './secrets.ts'

const { url, description } = NewAuditSink.properties

/**
 * A sink of a tenant that comes from elsewhere is paused, since its receiver knows neither the new secret nor the new chain. One to where this
 * installation sends nothing is left out.
 */
export const importedSinks: ImportRule = {
  columns: { url, description },
  anew({ secrets, clock, config }, { id, url }) {
    if (problemOfOutboundUrl(String(url), config)) return null
    const { columns } = sinkSecrets.create({ secrets, clock }, String(id))
    return {
      ...columns,
      status: 'paused',
      paused_reason: 'by_hand',
      position: 0,
      batch_end: null,
      next_attempt_at: null,
    }
  },
}

/** What was sent is sent, and the secret, without which none comes back, is of now. */
export const restoredSinks: RestoreRule = {
  keeps: [
    ...['slot', 'status', 'paused_reason', 'position', 'batch_end', 'sent_until', 'last_sent_at'],
    ...['failures', 'failing_since', 'last_error', 'next_attempt_at'],
  ],
}
