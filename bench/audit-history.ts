import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import pino from 'pino'
import { builtinModules, createCore, loadConfig, migrationsOf } from 'tenantry'
import { migrate } from '../core/src/kernel/db/migrate.ts'
import { type DatabaseUrls, setupDatabase } from '../core/src/kernel/db/setup.ts'
import { sealTenant } from '../core/src/modules/audit/index.ts'
import { contextOf } from '../core/src/testing/context.ts'

/** A database whose one tenant has a history of `count` records. */
export interface History extends DatabaseUrls {
  name: string
  count: number
  superuserUrl: string
}

const ROLES = {
  owner: { name: 'tenantry_bench_owner', password: 'bench-owner' },
  app: { name: 'tenantry_bench_app', password: 'bench-app' },
  system: { name: 'tenantry_bench_system', password: 'bench-system' },
}
const DAYS_OF_HISTORY = 330
/** Records per statement. */
const PORTION = 250_000
const MAX_LOOKS = 120

/** Creates the database unless it is there, brings its schema up to date and makes partitions for the past year. */
export async function prepareDatabase(serverUrl: string, name: string, count: number): Promise<History> {
  const urls = await setupDatabase({ superuserUrl: serverUrl, database: name, roles: ROLES })
  const sources = migrationsOf(builtinModules)
  await migrate({ ...urls, appRole: ROLES.app.name, systemRole: ROLES.system.name, sources })
  const superuserUrl = new URL(serverUrl)
  superuserUrl.pathname = `/${name}`
  const history = { ...urls, name, count, superuserUrl: superuserUrl.href }
  await query(history, "select tenantry.ensure_partitions('audit_logs', (current_date - interval '1 year')::date, 25)")
  return history
}

export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const server = new pg.Client({ connectionString: serverUrl })
  await server.connect()
  await server.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
  await server.end()
}

/** Runs SQL past row-level security. */
export async function query<R extends pg.QueryResultRow>(
  { superuserUrl }: History,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: superuserUrl, options: '-c search_path=core,public' })
  await client.connect()
  try {
    return (await client.query<R>(sql, values)).rows
  } finally {
    await client.end()
  }
}

/** What to look for in a history. */
export const WANTED = {
  action: 'store.updated',
  resource_id: 'thing-7',
  user_id: '00000000-0000-7000-8000-000000000007',
  store_id: '00000000-0000-7000-9000-000000000007',
  ip_address: '192.0.2.7',
}

/**
 * Adds the tenant's records of eleven months, unless it has them: a third sales, each with a name of its own, a third
 * changes of two thousand things, a third sign-ins, by fifty people from fifty addresses in ten stores. One in a thousand is about a
 * webhook; 25 are about one cottage and 200 about a customer each, whatever the count.
 */
export async function addHistory(history: History, tenantId: string): Promise<void> {
  const { count } = history
  const [found] = await query<{ count: string }>(history, 'select count(*) from audit_logs where tenant_id = $1', [
    tenantId,
  ])
  if (Number(found?.count) >= count) return
  for (let from = 1; from <= count; from += PORTION)
    await query(history, INSERT, [tenantId, count, from, Math.min(from + PORTION - 1, count)])
  await query(history, 'vacuum analyze')
}

const INSERT = `
insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_id, actor_label, resource_type, resource_id,
  resource_label, store_id, old_values, new_values, ip_address, user_agent, request_id)
select $1::uuid, overlay(overlay(tenantry.uuid_at(at)::text placing lpad(to_hex(n % 4096), 3, '0') from 16)
    placing lpad(to_hex(n), 12, '0') from 25)::uuid, at,
  case kind when 'webhook' then 'webhook.created' when 'cottage' then 'cottage.let' when 'customer' then 'customer.created'
    when '0' then 'sale.completed' when '1' then 'store.updated' else 'auth.login' end,
  'user', ('00000000-0000-7000-8000-' || lpad((n % 50)::text, 12, '0'))::uuid, 'Person ' || n % 50,
  case kind when '0' then 'sale' when '1' then 'store' when '2' then 'user' else kind end,
  case kind when 'cottage' then 'cottage-1' when '0' then 'sale-' || n when 'customer' then 'customer-' || n else 'thing-' || n % 2000 end,
  case kind when 'cottage' then 'Larch Cottage' when '0' then 'Sale ' || n when 'customer' then 'Ann Smith-' || n else 'Thing ' || n % 2000 end,
  ('00000000-0000-7000-9000-' || lpad((n % 10)::text, 12, '0'))::uuid, '{"name": "before"}', '{"name": "after"}',
  '192.0.2.' || n % 50, 'a browser', 'request-' || n
from (select n, date_trunc('milliseconds', now() + (n - $2::int) * interval '${DAYS_OF_HISTORY} days' / $2::int - interval '1 day') as at,
    case when n % ($2::int / 25) = 0 then 'cottage' when n % ($2::int / 200) = 1 then 'customer'
      when n % 1000 = 7 then 'webhook' else (n % 3)::text end as kind
  from generate_series($3::int, $4::int) n) as moments`

/** What the server of a history is started with. */
export const environmentOf = ({ appUrl, systemUrl }: History): Record<string, string> => ({
  DATABASE_URL: appUrl,
  DATABASE_SYSTEM_URL: systemUrl,
  APP_SECRET: 'only-for-the-bench-0123456789-abcdefghijklmnop',
  RATE_LIMIT_FACTOR: '0',
  LOG_LEVEL: 'warn',
  ACCESS_TOKEN_TTL: '86400',
})

/**
 * Seals the tenant's records, which also fills the dictionary of its text filter. The clock is moved ahead, so that the
 * chain knows itself to be complete at once. Returns how long it took.
 */
export async function sealHistory(history: History, tenantId: string): Promise<{ sealed: number; ms: number }> {
  let ahead = 60_000
  const ms = () => Date.now() + ahead
  const clock = { ms, now: () => new Date(ms()).toISOString() }
  const config = loadConfig(environmentOf(history), builtinModules)
  const core = await createCore({ config, modules: builtinModules, clock, log: pino({ level: 'warn' }) })
  const start = performance.now()
  let sealed = 0
  const sealAll = async () => {
    for (let isDone = false; !isDone; ) {
      const run = await sealTenant(contextOf(core, tenantId))
      sealed += run.sealed
      isDone = run.isDone
    }
  }
  try {
    await sealAll()
    const took = performance.now() - start
    // What ran in the meantime, on other databases of the server too, has to end first.
    for (let look = 0; look < MAX_LOOKS && !(await isComplete(history, tenantId)); look++) {
      if (look > 2) await sleep(1_000)
      ahead += 20 * 60_000
      await sealAll()
    }
    // What the bench itself has done, in earlier runs too, would stand before the history.
    await query(history, "delete from audit_logs where tenant_id = $1 and request_id not like 'request-%'", [tenantId])
    await query(history, 'vacuum analyze audit_logs')
    await query(history, 'vacuum analyze audit_names, audit_terms, audit_blocks, audit_chains')
    return { sealed, ms: took }
  } finally {
    await core.close()
  }
}

async function isComplete(history: History, tenantId: string): Promise<boolean> {
  const sql = 'select complete_to > sealed_to as is_complete from audit_chains where tenant_id = $1'
  const [chain] = await query<{ is_complete: boolean }>(history, sql, [tenantId])
  return chain?.is_complete ?? false
}
