import { sql, type Tx } from '#kernel'
import type { UsageRow } from '../table.ts'

/** What a key was used for on a day, and when and from where last. */
export interface Count extends UsageRow {
  last_used_at: string
  last_used_ip: string | null
}

/** The counts of many tenants, for the system role, as a table. */
const countsAsTable = (counts: readonly Count[]) => {
  const column = <Name extends keyof Count>(name: Name) => counts.map((count) => count[name])
  return sql`unnest(${column('tenant_id')}::uuid[], ${column('api_key_id')}::uuid[], ${column('date')}::date[],
      ${column('requests')}::integer[], ${column('errors')}::integer[], ${column('limited')}::integer[],
      ${column('last_used_at')}::timestamptz[], ${column('last_used_ip')}::text[])
    as c (tenant_id, api_key_id, date, requests, errors, limited, last_used_at, last_used_ip)`
}

/** Adds counts to those that are there; of keys that are gone, with their tenant, nothing. Across tenants. */
export const insertCounts = (tx: Tx, counts: readonly Count[]) =>
  sql`insert into api_key_usage as u (tenant_id, api_key_id, date, requests, errors, limited)
    select c.tenant_id, c.api_key_id, c.date, c.requests, c.errors, c.limited
    from ${countsAsTable(counts)}
    join api_keys k on k.tenant_id = c.tenant_id and k.id = c.api_key_id
    order by c.tenant_id, c.api_key_id, c.date
    on conflict (tenant_id, api_key_id, date) do update set requests = u.requests + excluded.requests,
      errors = u.errors + excluded.errors, limited = u.limited + excluded.limited
    returning 1`.execute(tx)

/** Moves the last use of keys forward, never back. Across tenants. */
export const updateLastUsed = (tx: Tx, counts: readonly Count[]) =>
  sql`update api_keys k set last_used_at = c.last_used_at, last_used_ip = c.last_used_ip
    from (select distinct on (tenant_id, api_key_id) * from ${countsAsTable(counts)}
      order by tenant_id, api_key_id, last_used_at desc) c
    where k.tenant_id = c.tenant_id and k.id = c.api_key_id
      and (k.last_used_at is null or k.last_used_at < c.last_used_at)
    returning 1`.execute(tx)

/** The days of a key in a span of days, the first one first. */
export const listUsage = (tx: Tx, tenantId: string, keyId: string, { from, to }: { from: string; to: string }) =>
  tx
    .selectFrom('api_key_usage')
    .select(['date', 'requests', 'errors', 'limited'])
    .where('tenant_id', '=', tenantId)
    .where('api_key_id', '=', keyId)
    .where('date', '>=', from)
    .where('date', '<=', to)
    .orderBy('date')
    .execute()
