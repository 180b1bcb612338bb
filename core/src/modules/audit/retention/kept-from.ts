import { type Ctx, DAYS, firstIdAt, timeOfId } from '#kernel'
import { type Retention, retentionAt } from './period.ts'
import { findRetention } from './retention-queries.ts'

/**
 * The least id that a tenant keeps: the start of the month that contains the day so many days ago. So a record is kept
 * at least that long, and at most 31 days longer.
 */
export function keptFrom(now: number, stored: Partial<Retention> = {}, leastDays = 0): string {
  return startOfMonth(now - retentionAt(stored, now, leastDays).audit_retention_days * DAYS)
}

/** The least id that the tenant of `ctx` keeps by its current settings and the operator's. */
export async function findKeptFrom({ tx, tenantId, clock, config }: Ctx): Promise<string> {
  return keptFrom(clock.ms(), await findRetention(tx, tenantId), config.audit.minRetentionDays)
}

/** The month (UTC) of an id: the first id of the next month, and its name, `2026-01`. */
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
