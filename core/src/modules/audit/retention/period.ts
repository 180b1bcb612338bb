import {
  at,
  Closed,
  type Ctx,
  DAYS,
  Described,
  defineSetting,
  fromNow,
  invalidRequest,
  Nullable,
  type SettingMoment,
  type Static,
  type StoredSettings,
  Timestamp,
  Type,
} from '#kernel'

/** For tenants without a setting. */
export const DEFAULT_AUDIT_RETENTION_DAYS = 365
/** Removed records cannot be restored, so the owners have time to object. */
const NOTICE_MS = 30 * DAYS

const Days = Type.Integer({
  minimum: 1,
  maximum: 3650,
  examples: [730],
  description:
    'How many days records of what happened are kept at least. They are removed by whole months (UTC): one is kept at most 31 days longer. Less than before takes the permission `audit.retention`, is not less than the operator allows, and holds after 30 days, of which the owners are told by mail; the same as before, or more, holds at once.',
})

const Pending = Nullable(
  Closed(
    {
      days: Type.Integer({ description: 'What `audit_retention_days` becomes' }),
      takes_effect_at: Described(Timestamp, 'From when it holds'),
    },
    {
      title: 'PendingRetention',
      description: 'A shorter time that does not hold yet. Setting `audit_retention_days` to what it is takes it back.',
    },
  ),
)

/** How long a tenant keeps its audit log, and a pending change of that. */
export interface Retention {
  audit_retention_days: number
  audit_retention_pending: Static<typeof Pending>
}

/** How long the audit log is kept. */
export const auditRetentionDays = defineSetting('audit_retention_days', {
  level: 'tenant',
  schema: Days,
  default: DEFAULT_AUDIT_RETENTION_DAYS,
  ownOnly: true,
  read: (stored, now) => inForce(stored, now).audit_retention_days,
  change: (ctx, { given, stored }) => ({ ...changeRetention(ctx, inForce(stored, ctx), given) }),
})

/** The pending period and when it takes effect. */
export const auditRetentionPending = defineSetting('audit_retention_pending', {
  level: 'tenant',
  schema: Pending,
  default: null,
  readOnly: true,
  read: (stored, now) => inForce(stored, now).audit_retention_pending,
})

function inForce(stored: StoredSettings, { clock, config }: SettingMoment): Retention {
  return retentionAt(stored as Partial<Retention>, clock.ms(), config.audit.minRetentionDays) // written by this file alone
}

/** The period in force at that time; never less than the operator requires. */
export function retentionAt(stored: Partial<Retention>, now: number, leastDays: number): Retention {
  const { audit_retention_days: days = DEFAULT_AUDIT_RETENTION_DAYS, audit_retention_pending: pending = null } = stored
  const isDue = pending !== null && Date.parse(pending.takes_effect_at) <= now
  return {
    audit_retention_days: Math.max(isDue ? pending.days : days, leastDays),
    audit_retention_pending: isDue ? null : pending,
  }
}

/**
 * A longer period takes effect at once. A shorter one needs `audit.retention`, takes effect after 30 days, and is
 * withdrawn by setting the current period or a longer one. Throws 403, and 400 for less than the operator requires.
 */
function changeRetention(ctx: Ctx, current: Retention, days: number): Retention {
  if (days >= current.audit_retention_days) return { audit_retention_days: days, audit_retention_pending: null }
  ctx.require('audit.retention')
  const { minRetentionDays } = ctx.config.audit
  if (days < minRetentionDays) {
    const detail = `must be at least ${minRetentionDays}, as whoever runs this installation has set it`
    throw invalidRequest({ errors: [at('audit_retention_days', detail)] })
  }
  if (days === current.audit_retention_pending?.days) return current
  return { ...current, audit_retention_pending: { days, takes_effect_at: fromNow(ctx.clock, NOTICE_MS) } }
}
