import {
  Closed,
  DAYS,
  Described,
  defineSupport,
  firstIdAt,
  HOURS,
  Nullable,
  OneOf,
  pickFields,
  SUPPORT_SHOWN,
  shownOf,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { listChangesOf } from './support-queries.ts'

/** What is longer ago is read in the audit log: a month is in one or two partitions. */
const SINCE_MS = 31 * DAYS
/** No clock is further ahead. */
const AHEAD_MS = 1 * HOURS

const Change = Closed({
  tenant_id: Described(Uuid, 'The tenant whose log it stands in'),
  id: Described(Uuid, 'The record'),
  created_at: Described(Timestamp, 'When it happened'),
  action: Type.String({ description: 'What happened', examples: ['role.assigned'] }),
  actor_type: OneOf(['user', 'api_key', 'system', 'admin'], { description: 'Who did it' }),
  actor_id: Nullable(Described(Uuid, 'Which one; null: the system, or nobody in particular')),
  resource_type: Type.String({ description: 'What it was done to', examples: ['user'] }),
  resource_id: Nullable(Type.String({ description: 'Which one' })),
})

/** What happened last by and to the person in their tenants: neither names nor values, which are the tenant's. */
export const auditSupport = defineSupport({
  name: 'changes',
  description: 'What happened last by and to the person',
  roles: ['support', 'operations'],
  schema: Closed({ changes: Type.Array(Change, { description: 'Of the last 31 days, the newest first' }) }),
  causes: {},
  async read({ tx, clock }, { tenantIds, userId }) {
    if (userId === null || tenantIds.length === 0) return { shown: { changes: [] }, findings: [] }
    const span = { from: firstIdAt(clock.ms() - SINCE_MS), before: firstIdAt(clock.ms() + AHEAD_MS) }
    const found = await listChangesOf(tx, tenantIds, { ...span, userId, limit: SUPPORT_SHOWN + 1 })
    const { rows, leftOut } = shownOf(found)
    return { shown: { changes: rows.map((row) => pickFields(Change, row)) }, findings: [], leftOut }
  },
})
