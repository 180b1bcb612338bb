import { at, type Ctx, DAYS, fromNow, invalidRequest } from '#kernel'
import type { TenantSettings } from './schema.ts'

/** For tenants that have not set it. */
export const DEFAULT_AUDIT_RETENTION_DAYS = 365
/** What is kept for a shorter time is lost for good: there is time to object. */
const NOTICE_MS = 30 * DAYS

/** For how long a tenant keeps its audit log, and what that becomes. */
export type Retention = Pick<TenantSettings, 'audit_retention_days' | 'audit_retention_pending'>

/** What is in force at that moment, of what a tenant has set; never less than the operator asks for. */
export function retentionAt(stored: Partial<Retention>, now: number, leastDays: number): Retention {
  const { audit_retention_days: days = DEFAULT_AUDIT_RETENTION_DAYS, audit_retention_pending: pending = null } = stored
  const isDue = pending !== null && Date.parse(pending.takes_effect_at) <= now
  return {
    audit_retention_days: Math.max(isDue ? pending.days : days, leastDays),
    audit_retention_pending: isDue ? null : pending,
  }
}

/**
 * Lengthening holds at once. Shortening takes `audit.retention`, holds after 30 days and is taken back by asking for what
 * is in force, or for more. Throws 403, and 400 for less than the operator asks for.
 */
export function changeRetention(ctx: Ctx, inForce: Retention, days: number): Retention {
  if (days >= inForce.audit_retention_days) return { audit_retention_days: days, audit_retention_pending: null }
  ctx.require('audit.retention')
  const { minRetentionDays } = ctx.config.audit
  if (days < minRetentionDays) {
    const detail = `must be at least ${minRetentionDays}, as whoever runs this installation has set it`
    throw invalidRequest({ errors: [at('audit_retention_days', detail)] })
  }
  if (days === inForce.audit_retention_pending?.days) return inForce
  return { ...inForce, audit_retention_pending: { days, takes_effect_at: fromNow(ctx.clock, NOTICE_MS) } }
}
