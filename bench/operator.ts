// What operators see, over many tenants: milliseconds of a request over HTTP, median and the slowest of a hundred.
// node bench/operator.ts [--tenants 10000] [--people 5] [--jobs 1000000] [--requests 100]
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Server } from './child.ts'
import { median, startBench } from './harness.ts'
import { PASSWORD } from './seed.ts'

const { values: options } = parseArgs({
  options: {
    tenants: { type: 'string', default: '10000' },
    people: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '100' },
  },
})
const tenants = Number(options.tenants)
const people = Number(options.people)
const jobs = Number(options.jobs)
const requests = Number(options.requests)
const TOKEN = 'bootstrap-token-of-the-bench'
/** Milliseconds. */
const TARGET = 100

const bench = await startBench()
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0', BOOTSTRAP_TOKEN: TOKEN })
  const token = await makeOperator(server)
  await fill(bench.database.ownerUrl)
  process.stdout.write(
    `${tenants} tenants of ${people} people, ${jobs} jobs that wait, ms per request of ${requests}; target ${TARGET}\n\n`,
  )
  process.stdout.write('| request | median | slowest |\n|---|---|---|\n')
  const { data, next_cursor } = (await get(server, token, '/admin/tenants')) as Listed
  const [newest] = data
  for (const [name, path] of [
    ['overview', '/admin/overview'],
    ['tenants, first page', '/admin/tenants'],
    ['tenants, next page', `/admin/tenants?cursor=${encodeURIComponent(next_cursor ?? '')}`],
    ['tenants, suspended', '/admin/tenants?status=suspended'],
    ['tenants of a plan', `/admin/tenants?plan_id=${newest?.plan?.id}`],
    ['tenants by a word in one name', '/admin/tenants?q=filler%20777'],
    ['tenants by a word in none', '/admin/tenants?q=nobody'],
    ['one tenant', `/admin/tenants/${newest?.id}`],
    ['people, first page', '/admin/users'],
    ['people by a word in one name', '/admin/users?q=person%20777'],
    ['people by a word in none', '/admin/users?q=nobody'],
    ['people, disabled', '/admin/users?status=disabled'],
    ['one person', `/admin/users/${newest?.owner_id}`],
    ['jobs, first page', '/admin/jobs'],
    ['jobs, failed', '/admin/jobs?status=failed'],
    ['jobs, running', '/admin/jobs?status=running'],
    ['jobs of a tenant', `/admin/jobs?tenant_id=${newest?.id}`],
    ['jobs of the tenant that has most', `/admin/jobs?tenant_id=${await busiest()}`],
    ['jobs, failed, of that tenant', `/admin/jobs?status=failed&tenant_id=${await busiest()}`],
    ['jobs of a task that few have', '/admin/jobs?task=nobody.knows'],
  ] as const) {
    const times = await measure(server, token, path)
    process.stdout.write(`| ${name} | ${median(times).toFixed(1)} | ${Math.max(...times).toFixed(1)} |\n`)
  }
} finally {
  await bench.stop()
}

interface Listed {
  data: { id: string; owner_id: string; plan: { id: string } | null }[]
  next_cursor: string | null
}

async function measure(server: Server, token: string, path: string): Promise<number[]> {
  const times: number[] = []
  // A first tenth that does not count warms both sides up.
  for (let turn = -requests / 10; turn < requests; turn++) {
    const begun = performance.now()
    await get(server, token, path)
    if (turn >= 0) times.push(performance.now() - begun)
  }
  return times
}

async function get({ port }: Server, token: string, path: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

async function makeOperator({ port }: Server): Promise<string> {
  const body = { bootstrap_token: TOKEN, email: 'operator@bench.example', password: PASSWORD, name: 'Operator' }
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(`bootstrap: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token // api.md
}

/** The tenant that has half of all jobs. */
async function busiest(): Promise<string> {
  const client = new pg.Client({ connectionString: bench.database.ownerUrl })
  await client.connect()
  const { rows } = await client.query<{ id: string }>('select id from core.tenants order by id desc limit 1')
  await client.end()
  return rows[0]?.id ?? ''
}

/** Founded over the last two years: a tenth suspended, half paying, with files, jobs that failed, people. */
async function fill(ownerUrl: string): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await owner.query(
      `insert into users (id, email, email_normalized, name, locale, timezone, two_factor_enabled, is_super_admin, status, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@fill.example', 'p' || n || '@fill.example', 'Person ' || n, 'en', 'UTC', false, false, 'active', now(), now()
       from generate_series(1, $1::int) n`,
      [tenants * people],
    )
    await owner.query(
      `insert into tenants (id, name, slug, status, owner_id, created_at, updated_at)
       select tenantry.uuid_at(at), 'Filler ' || n, 'filler-' || n, case when n % 10 = 0 then 'suspended' else 'active' end, u.id, at, at
       from generate_series(1, $1::int) n
       join (select id, row_number() over (order by id) as number from users where email like 'p%@fill.example') u on u.number = n
       cross join lateral (select now() - n * interval '730 days' / $1::int as at) t`,
      [tenants],
    )
    await owner.query(
      `insert into subscriptions (tenant_id, id, plan_id, status, trial_ends_at, anchored_at, current_period_start, current_period_end, next_change_at, created_at, updated_at)
       select t.id, gen_random_uuid(), p.id, case when t.row % 2 = 0 then 'active' else 'trialing' end, now() + interval '9 days', now(), now(),
         now() + interval '9 days', now() + interval '9 days', now(), now()
       from (select id, row_number() over (order by id) as row from tenants) t
       join plans p on p.code = (array['free', 'starter', 'business'])[t.row % 3 + 1]`,
    )
    for (const limit of ['storage_bytes', 'other', 'another'])
      await owner.query(
        `insert into limit_usage (tenant_id, limit_name, period_start, used) select id, $1, '1970-01-01', 123456789 from tenants`,
        [limit],
      )
    await owner.query(
      `insert into tenant_jobs (tenant_id, id, task, payload, origin, status, max_attempts, run_at, created_at)
       select id, gen_random_uuid(), 'nobody.knows', '{}', '{}', 'failed', 3, now(), now() from tenants order by id limit 1000`,
    )
    // Half of all are one tenant's; a thousandth was begun before.
    await owner.query(
      `insert into tenant_jobs (tenant_id, id, task, payload, origin, status, attempts, max_attempts, run_at, created_at)
       select case when n % 2 = 0 then $2::uuid else t.id end, tenantry.uuid_at(at), 'filler.task_' || n % 20, '{}', '{}', 'waiting', (n % 1000 = 0)::int, 10,
         now() + interval '1 day', at
       from generate_series(1, $1::int) n
       join (select id, row_number() over (order by id) - 1 as number from tenants) t on t.number = n % $3::int
       cross join lateral (select now() - n * interval '1 day' / $1::int as at) j`,
      [jobs, await busiest(), tenants],
    )
    await owner.query('vacuum analyze')
  } finally {
    await owner.end()
  }
}
