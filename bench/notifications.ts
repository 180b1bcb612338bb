// How many notifications a person has not read, and the first pages of their list: of a long list against a short one, in
// the same run, alternating.
// node bench/notifications.ts [--requests 300] [--small 10000] [--large 2000000]
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Server } from './child.ts'
import { json, median, startBench } from './harness.ts'

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '300' },
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '2000000' },
  },
})
const requests = Number(options.requests)
const TARGET = 1.3
const PASSWORD = 'a bench needs a long passphrase'
/** Rows of one statement. */
const PIECE = 50_000

const rows: [name: string, path: string][] = [
  ['unread count', '/notifications/unread-count'],
  ['first page', '/notifications'],
  ['first page, unread', '/notifications?unread=true'],
  ['first page, a rare kind', '/notifications?kind=role.changed'],
  ['first page, a type', '/notifications?type=warning'],
]

/** A person with that many notifications. */
interface Reader {
  token: string
  count: number
}

const bench = await startBench()
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0' })
  const small = await openReader(server, Number(options.small))
  const large = await openReader(server, Number(options.large))
  process.stdout.write(`\nms per request, medians of ${requests}; target ${TARGET}\n\n`)
  process.stdout.write(`| request | ${small.count} | ${large.count} | ratio |\n|---|---|---|---|\n`)
  for (const [name, path] of rows) {
    const [short, long] = await compare(server, path, small, large)
    process.stdout.write(`| ${name} | ${short.toFixed(2)} | ${long.toFixed(2)} | ${(long / short).toFixed(2)} |\n`)
  }
} finally {
  await bench.stop()
}

async function openReader(server: Server, count: number): Promise<Reader> {
  const body = {
    email: `reader${count}@example.com`,
    password: PASSWORD,
    name: 'Reader',
    tenant_name: `Readers ${count}`,
  }
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/auth/register`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  const { access_token: token, user, tenant } = (await answer.json()) as Registered
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await fill(owner, { tenantId: tenant.id, userId: user.id, count })
  } finally {
    await owner.end()
  }
  return { token, count }
}

interface Registered {
  access_token: string
  user: { id: string }
  tenant: { id: string }
}

/** Over the last 80 days; one of ten is unread, one of a thousand of a rare kind. */
async function fill(
  owner: pg.Client,
  { tenantId, userId, count }: { tenantId: string; userId: string; count: number },
) {
  await owner.query("select tenantry.ensure_partitions('notifications', (now() - interval '80 days')::date, 4)")
  for (let from = 1; from <= count; from += PIECE)
    await owner.query(
      `insert into notifications (tenant_id, id, created_at, updated_at, user_id, seq, kind, type, data, read_at)
       select $1, overlay(gen_random_uuid()::text placing substr(tenantry.uuid_at(at)::text, 1, 15) from 1 for 15)::uuid, at, at, $2, n,
         case when n % 1000 = 0 then 'role.changed' else 'announcement' end,
         case when n % 50 = 0 then 'warning' else 'info' end,
         case when n % 1000 = 0 then '{"change": "given", "role": "manager", "place": "tenant"}'::jsonb
           else '{"title": "News", "message": "There are some."}'::jsonb end,
         case when n % 10 = 0 then null else at end
       from generate_series($3::int, least($3::int + ${PIECE} - 1, $4::int)) n
       cross join lateral (select now() - interval '80 days' + interval '80 days' * n / $4::int as at) t`,
      [tenantId, userId, from, count],
    )
  await owner.query(
    `insert into notification_counts (tenant_id, id, created_at, updated_at, unread, last_seq, read_to, hidden_to)
     values ($1, $2, now(), now(), $3::int / 10, $3::int, 0, 0)
     on conflict (tenant_id, id) do update set unread = excluded.unread, last_seq = excluded.last_seq`,
    [tenantId, userId, count],
  )
  await owner.query('vacuum analyze notifications')
}

async function compare(server: Server, path: string, ...readers: [Reader, Reader]): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []]
  // A first tenth that does not count warms both up.
  for (let turn = -requests / 10; turn < requests; turn++)
    for (const [side, { token }] of readers.entries()) {
      const begun = performance.now()
      const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const text = await answer.text()
      if (answer.status !== 200) throw new Error(`${answer.status} ${text}`)
      if (turn >= 0) times[side]?.push(performance.now() - begun)
    }
  return [median(times[0]), median(times[1])]
}
