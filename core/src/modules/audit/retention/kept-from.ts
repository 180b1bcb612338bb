import { type Ctx, DAYS, firstIdAt, timeOfId } from '#kernel'
import { type Retention, retentionAt } from './period.ts'
import { findRetention } from './retention-queries.ts'

/**
 * The least id that a tenant keeps by what it has set: the first of the month that was not over yet so many days ago. A record is thus kept
 * at least so long, and at most 31 days longer.
 */
export function keptFrom(now: number, stored: Partial<Retention> = {}, leastDays = 0): string {
  return startOfMonth(now - retentionAt(stored, now, leastDays).audit_retention_days * DAYS)
}

/** The least id that the tenant of `ctx` keeps by the settings that it has now, and by the operator's. */
export async function findKeptFrom({ tx, tenantId, clock, config }: Ctx): Promise<string> {
  return keptFrom(clock.ms(), await findRetention(tx, tenantId), config.audit.minRetentionDays)
}

/** A month (UTC) by an id of it: the first id of the next one, and how it is written, `2026-01`. */
export function monthOf(id: string): { name: string; end: string } {
  const at = new Date(timeOfId(id))
  return {
    name: at.toISOString().slice(0, 7),
    end: firstIdAt(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1)),
  }
}

function startOfMonth(ms: number): string {
  const at = new Date(ms)
  return firstIdAt(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()))
}
