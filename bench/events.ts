// Events pulled a second against bare Fastify and pg with the same select, alternating in the same run; and what a page costs
// in a long feed against a short one: the first, one in the middle and the last, with and without a filter that hardly
// anything fits.
// node bench/events.ts [--rounds 5] [--seconds 4] [--small 10000] [--large 2000000] [--requests 300] [--only throughput|growth]
import { parseArgs } from 'node:util'
import pg from 'pg'
import { createSecretBox } from '../core/src/kernel/secrets.ts'
import { cursorAt } from '../core/src/modules/events/read-page.ts'
import type { Server } from './child.ts'
import { APP_SECRET, fire, json, median, type Shot, startBench } from './harness.ts'
import type { Speaker } from './seed.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '2000000' },
    requests: { type: 'string', default: '300' },
    only: { type: 'string' },
  },
})
const PASSWORD = 'a bench needs a long passphrase'
const PAGE = 100
const CONNECTIONS = 8
/** Rows of one statement. */
const PIECE = 50_000
/** One of so many is of the rare kind. */
const RARE = 'role.deleted'
const RARELY = 100_000

/** A tenant with that many events, and somebody who may follow them. */
interface Feed {
  tenantId: string
  token: string
  count: number
}

const secrets = createSecretBox(APP_SECRET)
const bench = await startBench()
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0' })
  const small = await openFeed(server, Number(options.small))
  if (options.only !== 'growth') await compareThroughput(server, small)
  if (options.only !== 'throughput') await compareGrowth(server, small)
} finally {
  await bench.stop()
}

async function compareThroughput(server: Server, feed: Feed): Promise<void> {
  const floor = await bench.launch('events-floor.ts', { EVENTS_URL: bench.database.systemUrl })
  const volley = { connections: CONNECTIONS, duration: Number(options.seconds) }
  const speakers = [{ token: feed.token } as Speaker] // all that is used of one
  const pages = Math.floor((feed.count - PAGE) / PAGE)
  const positionOf = (turn: number) => (turn % pages) * PAGE
  const pull = () =>
    fire(server, ({ token }, turn) => coreShot(feed.tenantId, token, positionOf(turn)), speakers, volley)
  const pullBare = () => fire(floor, (_, turn) => bareShot(feed.tenantId, positionOf(turn)), speakers, volley)
  const [mine, floors]: [number[], number[]] = [[], []]
  for (let round = 0; round <= Number(options.rounds); round++) {
    const [bare, own] = [await pullBare(), await pull()]
    // The first round warms up.
    if (round === 0) continue
    mine.push(own * PAGE)
    floors.push(bare * PAGE)
  }
  const [own, least] = [median(mine), median(floors)]
  process.stdout.write(
    `\nevents a second, ${PAGE} at once, ${CONNECTIONS} connections, medians of ${options.rounds}\n\n| bare | core | ratio |\n|---|---|---|\n| ${least.toFixed(0)} | ${own.toFixed(0)} | ${(own / least).toFixed(2)} |\n`,
  )
}

function coreShot(tenantId: string, token: string, position: number): Shot {
  const after = cursorAt({ secrets, tenantId }, {}, position)
  const headers = { authorization: `Bearer ${token}` }
  return { method: 'GET', path: `/api/v1/events?limit=${PAGE}&after=${after}`, headers }
}

function bareShot(tenantId: string, position: number): Shot {
  return { method: 'GET', path: `/events?tenant=${tenantId}&after=${position}&limit=${PAGE}` }
}

async function compareGrowth(server: Server, small: Feed): Promise<void> {
  const large = await openFeed(server, Number(options.large))
  process.stdout.write(
    `\nms per request, medians of ${options.requests}; target 1.3\n\n| page | ${small.count} | ${large.count} | ratio |\n|---|---|---|---|\n`,
  )
  const places: [name: string, of: (count: number) => number | undefined][] = [
    ['first', () => undefined],
    ['middle', (count) => Math.floor(count / 2)],
    ['last', (count) => count - 2_000],
  ]
  for (const types of [undefined, RARE])
    for (const [place, of] of places) {
      const paths = [small, large].map(({ tenantId, count }) => {
        const position = of(count)
        const query: Record<string, string> = types === undefined ? {} : { types }
        const after: Record<string, string> =
          position === undefined ? {} : { after: cursorAt({ secrets, tenantId }, query, position) }
        return `/events?${new URLSearchParams({ limit: String(PAGE), ...query, ...after })}`
      })
      const took: [number[], number[]] = [[], []]
      // A first tenth that does not count warms both up.
      for (let turn = -Number(options.requests) / 10; turn < Number(options.requests); turn++)
        for (const [side, { token }] of [small, large].entries()) {
          const ms = await timed(server, token, paths[side] ?? '')
          if (turn >= 0) took[side]?.push(ms)
        }
      const [short, long] = took.map(median) as [number, number] // two feeds, two medians
      const name = types === undefined ? place : `${place}, a rare kind`
      process.stdout.write(`| ${name} | ${short.toFixed(2)} | ${long.toFixed(2)} | ${(long / short).toFixed(2)} |\n`)
    }
}

async function timed({ port }: Server, token: string, path: string): Promise<number> {
  const begun = performance.now()
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`)
  return performance.now() - begun
}

async function openFeed({ port }: Server, count: number): Promise<Feed> {
  const body = { email: `f${count}@example.com`, password: PASSWORD, name: 'Follower', tenant_name: `Feed ${count}` }
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/register`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  const { access_token: token, tenant } = (await answer.json()) as { access_token: string; tenant: { id: string } } // as the API says
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await fill(owner, tenant.id, count)
  } finally {
    await owner.end()
  }
  return { tenantId: tenant.id, token, count }
}

/** Over the last 45 days, behind what is there already. */
async function fill(owner: pg.Client, tenantId: string, count: number): Promise<void> {
  await owner.query("select tenantry.ensure_partitions('events', (now() - interval '45 days')::date, 4)")
  await owner.query('delete from events where tenant_id = $1', [tenantId])
  for (let from = 1; from <= count; from += PIECE)
    await owner.query(
      `insert into events (tenant_id, id, position, type, created_at, actor_type, actor_label, data)
       select $1::uuid, overlay(gen_random_uuid()::text placing substr(tenantry.uuid_at(at)::text, 1, 15) from 1 for 15)::uuid, n,
         case when n % ${RARELY} = 0 then '${RARE}' else 'store.updated' end, at, 'system', 'system',
         json_build_object('id', gen_random_uuid(), 'created_at', at, 'updated_at', at, 'tenant_id', $1::uuid, 'name', 'Store ' || n,
           'code', 'S' || n, 'status', 'active', 'phone', '+41 44 123 45 67', 'email', 'store@example.com', 'timezone', null, 'is_default', false,
           'address', json_build_object('line1', 'Main street ' || n, 'line2', null, 'city', 'Bern', 'region', null, 'postal_code', '3000', 'country', 'CH'))
       from generate_series($2::int, least($2::int + ${PIECE} - 1, $3::int)) n
       cross join lateral (select now() - interval '45 days' + interval '45 days' * n / $3::int as at) t`,
      [tenantId, from, count],
    )
  await owner.query(
    `insert into event_heads values ($1, $2) on conflict (tenant_id) do update set position = excluded.position`,
    [tenantId, count],
  )
  await owner.query('vacuum analyze events')
}
