// The part of bench/webhooks.ts about tenants with many deliveries.
import type pg from 'pg'
import type { Server } from './child.ts'
import { median } from './harness.ts'
import type { Owner } from './webhooks.ts'

const TARGET = 1.3
/** Rows of one statement. */
const PIECE = 50_000
const LATE = 100

interface Growth {
  server: Server
  database: pg.Client
  /** Of the tenants with few and with many deliveries. */
  owners: readonly Owner[]
  /** Their webhooks. */
  hooks: readonly string[]
  sizes: readonly number[]
  requests: number
}

// Of what is rare a list of ten thousand has ten: with a limit of ten both answers are as long.
const LISTS = [
  ['first page', ''],
  ['first page, failed', 'status=failed'],
  ['first page, pending', 'status=pending'],
  ['first page, a common event', 'event=store.created'],
  ['first page, a rare event', 'event=store.deleted&limit=10'],
  ['first page, an event that never was', 'event=user.deleted'],
  ['first page, failed, a rare event', 'status=failed&event=store.deleted&limit=10'],
] as const

export async function compareGrowth(growth: Growth): Promise<void> {
  const { server, database, owners, hooks, sizes, requests } = growth
  for (const [side, size] of sizes.entries())
    await fill(database, { tenantId: owners[side]!.tenantId, webhookId: hooks[side]!, count: size })
  await database.query('vacuum analyze')
  process.stdout.write(`\nms per request, medians of ${requests}; target ${TARGET}\n\n`)
  process.stdout.write(`| request | ${sizes.join(' | ')} | ratio |\n|---|---|---|---|\n`)
  const show = async (name: string, paths: readonly string[]) => {
    const [short, long] = await compare(server, owners, paths, requests)
    process.stdout.write(`| ${name} | ${short.toFixed(2)} | ${long.toFixed(2)} | ${(long / short).toFixed(2)} |\n`)
  }
  for (const [name, query] of LISTS)
    await show(
      name,
      hooks.map((id) => `/webhooks/${id}/deliveries?${query}`),
    )
  for (const [name, query] of LISTS.slice(0, 4)) {
    const late = await Promise.all(
      hooks.map((id, side) => latePage(server, owners[side]!, `/webhooks/${id}/deliveries?${query}`)),
    )
    await show(name.replace('first', `${LATE}th`), late)
  }
  await show(
    'statistics',
    hooks.map((id) => `/webhooks/${id}/stats`),
  )
}

/** The path of a page far behind the first, of pages of one: as far in both lists. */
async function latePage(server: Server, owner: Owner, path: string): Promise<string> {
  const own = `${path}&limit=20`
  let next = own
  for (let page = 1; page < LATE; page++) {
    const { next_cursor } = (await get(server, owner, next)) as { next_cursor: string | null }
    if (next_cursor === null) break
    next = `${own}&cursor=${encodeURIComponent(next_cursor)}`
  }
  return next
}

async function get({ port }: Server, { token }: Owner, path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

async function compare(server: Server, owners: readonly Owner[], paths: readonly string[], requests: number) {
  const times: [number[], number[]] = [[], []]
  // A first tenth that does not count warms both up.
  for (let turn = -requests / 10; turn < requests; turn++)
    for (const [side, owner] of owners.entries()) {
      const begun = performance.now()
      await get(server, owner, paths[side]!)
      if (turn >= 0) times[side]?.push(performance.now() - begun)
    }
  return [median(times[0]), median(times[1])] as const
}

/**
 * Over the last 30 days: one of a hundred failed, a thousand wait, of which the next is due in an hour, one of a thousand is of a
 * rare event. Events and attempts are there for the last thousand of a hundred thousand.
 */
async function fill(
  database: pg.Client,
  { tenantId, webhookId, count }: { tenantId: string; webhookId: string; count: number },
): Promise<void> {
  await database.query('set search_path = core, public')
  for (const table of ['events', 'webhook_deliveries', 'webhook_attempts'])
    await database.query(`select tenantry.ensure_partitions('${table}', (now() - interval '31 days')::date, 2)`)
  const moments = `generate_series($3::int, least($3::int + ${PIECE} - 1, $4::int)) n
    cross join lateral (select now() - interval '30 days' + interval '29 days' * n / $4::int as at,
      case when n % 1000 = 0 then 'store.deleted' else 'store.created' end as type) t
    cross join lateral (select overlay(md5(n::text || $1) placing left(replace(tenantry.uuid_at(at)::text, '-', ''), 13) from 1)::uuid as id) i`
  for (let from = 1; from <= count; from += PIECE) {
    const values = [tenantId, webhookId, from, count]
    await database.query(
      `with one as (
         insert into events (tenant_id, id, position, type, created_at, store_id, actor_type, actor_id, actor_label, impersonator_id, data)
         select $1::uuid, i.id, 1000000 + n, t.type, at, null, 'system', null, 'system', null, '{"id": "1", "name": "Main", "city": "Berlin"}'
         from ${moments} where $2::text is not null returning 1),
       two as (
         insert into webhook_attempts (tenant_id, id, created_at, webhook_id, delivery_id, response_status, response_body, error, duration_ms)
         select $1::uuid, i.id, at, $2::uuid, tenantry.delivery_id($2::uuid, i.id), 200, 'ok', null, n % 200 from ${moments} returning 1)
       insert into webhook_deliveries (tenant_id, id, created_at, webhook_id, event_id, event, status, attempts, tries, next_attempt_at, delivered_at, last_attempt_id)
       select $1::uuid, tenantry.delivery_id($2::uuid, i.id), at, $2::uuid, i.id, t.type,
         case when n % ($4 / 1000) = 1 then 'pending' when n % 100 = 0 then 'failed' else 'delivered' end, 1, 1,
         case when n % ($4 / 1000) = 1 then now() + interval '1 hour' end, at, i.id
       from ${moments} returning 1`,
      values,
    )
  }
}
