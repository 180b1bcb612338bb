import pg from 'pg'
import { createTestCore, type TestCore, type TestCoreOptions } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { audit } from './index.ts'

/** A core of the built-in modules, the audit log among them. */
export const createAuditCore = (options: Omit<TestCoreOptions, 'modules'> = {}): Promise<TestCore> =>
  createTestCore({
    modules: [...builtinModules.filter(({ name }) => name !== audit.name), audit],
    ...options,
    env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', ACCESS_TOKEN_TTL: '1d', ...options.env },
  })

/** Runs SQL past row-level security. */
export async function asSuperuser<R extends pg.QueryResultRow>(
  { database }: TestCore,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: database.superuserUrl, options: '-c search_path=core,public' })
  await client.connect()
  try {
    return (await client.query<R>(sql, values)).rows
  } finally {
    await client.end()
  }
}

/**
 * Adds records of a year: a third each of stores created and updated and of sign-ins, by fifty people from fifty
 * addresses in ten stores; one in a thousand is about a webhook. Returns what to look for.
 */
export async function addHistory(test: TestCore, tenantId: string, count: number) {
  await asSuperuser(
    test,
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_id, actor_label, resource_type, resource_id,
       resource_label, store_id, old_values, new_values, ip_address, user_agent, request_id)
     select $1, overlay(overlay(tenantry.uuid_at(at)::text placing lpad(to_hex(n % 4096), 3, '0') from 16)
         placing lpad(to_hex(n), 12, '0') from 25)::uuid, at,
       case when n % 1000 = 0 then 'webhook.created' when n % 3 = 0 then 'store.created' when n % 3 = 1 then 'store.updated' else 'auth.login' end,
       'user', ('00000000-0000-7000-8000-' || lpad((n % 50)::text, 12, '0'))::uuid, 'Person ' || n % 50,
       case when n % 1000 = 0 then 'webhook' when n % 3 = 2 then 'user' else 'store' end, 'resource-' || n % 2000, 'Thing ' || n % 2000,
       ('00000000-0000-7000-9000-' || lpad((n % 10)::text, 12, '0'))::uuid, '{"name": "before"}', '{"name": "after"}',
       '192.0.2.' || n % 50, 'a browser', 'request-' || n
     from (select n, date_trunc('milliseconds', now() + (n - $2::int) * interval '330 days' / $2::int - interval '1 day') as at
       from generate_series(1, $2::int) n) as moments`,
    [tenantId, count],
  )
  await asSuperuser(test, 'vacuum analyze audit_logs')
  return {
    action: 'store.updated',
    resource_type: 'store',
    resource_id: 'resource-7',
    user_id: '00000000-0000-7000-8000-000000000007',
    store_id: '00000000-0000-7000-9000-000000000007',
    ip_address: '192.0.2.7',
  }
}

/** Reads RFC 4180, field by field. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, bare = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare)
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}
