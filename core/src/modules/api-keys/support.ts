import {
  Closed,
  DAYS,
  Day,
  Described,
  defineSupport,
  fromNow,
  Nullable,
  SUPPORT_SHOWN,
  shownOf,
  Type,
  Uuid,
} from '#kernel'
import { listLimitedKeys } from './support-queries.ts'

/** Of today and yesterday, in UTC. */
const SINCE_MS = 1 * DAYS

const Limited = Closed({
  tenant_id: Described(Uuid, 'The tenant'),
  api_key_id: Described(Uuid, 'The key'),
  rate_limit_per_minute: Nullable(Type.Integer({ description: 'Its own figure; null: what keys have' })),
  date: Day('The day, in UTC'),
  requests: Type.Integer({ description: 'Requests of that day, refused ones too' }),
  limited: Type.Integer({ description: 'Those that were refused because there were too many' }),
})

/** API keys of the person's tenants that sent more than they may. */
export const apiKeysSupport = defineSupport({
  name: 'api_keys',
  description: 'API keys of their tenants that sent more than they may',
  roles: ['support', 'operations'],
  schema: Closed({ limited: Type.Array(Limited, { description: 'Today and yesterday, the newest first' }) }),
  causes: {
    rate_limited: {
      severity: 'medium',
      likelihood: 61,
      do: 'Their program sends less, and waits as long as `Retry-After` says. A key may have a figure of its own (`rate_limit_per_minute`), and a larger plan lets the tenant send more.',
    },
  },
  async read({ tx, clock }, { tenantIds }) {
    const since = fromNow(clock, -SINCE_MS).slice(0, 'YYYY-MM-DD'.length)
    const { rows, leftOut } = shownOf(await listLimitedKeys(tx, tenantIds, since, SUPPORT_SHOWN + 1))
    const findings = rows.map(({ tenant_id: tenantId, api_key_id, requests, limited, date }) => ({
      code: 'rate_limited' as const, // as declared above
      tenantId,
      what: `Of ${requests} requests of the API key ${api_key_id} on ${date} there were ${limited} too many, which were refused.`,
      at: date,
    }))
    return { shown: { limited: rows }, findings, leftOut }
  },
})
