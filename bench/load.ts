// What it costs to know what each tenant costs: CPU time of the server for a request, counting and not, alternating in one run,
// and, which a busy machine disturbs less, the share of it that samples find in the counting;
// and how long an operator waits for the answer about a day of many tenants.
// node bench/load.ts [--rounds 101] [--amount 400] [--connections 8] [--tenants 10000] [--requests 100]
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { cpuOf, type Server } from './child.ts'
import { bearer, fire, json, median, newStore, type Shoot, startBench, storeOf } from './harness.ts'
import { PASSWORD, removeStores, type Speaker, seed } from './seed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '101' },
    amount: { type: 'string', default: '400' },
    connections: { type: 'string', default: '8' },
    tenants: { type: 'string', default: '10000' },
    requests: { type: 'string', default: '100' },
  },
})
const rounds = Number(values.rounds)
const connections = Number(values.connections)
const TOKEN = 'bootstrap-token-of-the-bench'
/** Of the CPU time of a request. */
const MOST_ADDED = 0.02
/** So many times as long as a round. */
const SAMPLED_ROUNDS = 20
/** Milliseconds. */
const MOST_WAITED = 100

interface Row {
  title: string
  shoot: Shoot
  /** Of `amount`. */
  part: number
}

const rows: Row[] = [
  {
    title: 'List 20 stores',
    part: 1,
    shoot: (speaker) => ({ method: 'GET', path: '/api/v1/stores', headers: bearer(speaker) }),
  },
  {
    title: 'Get a store',
    part: 1,
    shoot: (speaker, turn) => ({
      method: 'GET',
      path: `/api/v1/stores/${storeOf(speaker, turn)}`,
      headers: bearer(speaker),
    }),
  },
  {
    title: 'Create a store',
    part: 0.5,
    shoot: (speaker) => ({
      method: 'POST',
      path: '/api/v1/stores',
      headers: { ...json, ...bearer(speaker) },
      body: newStore(),
    }),
  },
]

const bench = await startBench()
try {
  const server = await bench.launch('load-core.ts', {
    ...bench.coreEnv,
    RATE_LIMIT_FACTOR: '1000',
    BOOTSTRAP_TOKEN: TOKEN,
    // So that all of what an answer costs the database is to be seen on its connection.
    PGOPTIONS: '-c max_parallel_workers_per_gather=0',
  })
  const token = await makeOperator(server)
  const { unlimited } = await seed(`http://127.0.0.1:${server.port}`, bench.database.ownerUrl)
  process.stdout.write(
    `\nCPU µs of the server per request, ${rounds} rounds of ${values.amount}; target ${1 + MOST_ADDED}\n\n`,
  )
  process.stdout.write(
    '| request | not counting | counting | ratio of medians | median of ratios | the middle half | share of samples |\n|---|---|---|---|---|---|---|\n',
  )
  for (const row of rows) await compare(row, unlimited, server)
  await fill()
  process.stdout.write(
    `\nGET /admin/load, ${values.tenants} tenants with figures in each quarter of an hour and each minute, ms of ${values.requests}; target ${MOST_WAITED}\n\n`,
  )
  process.stdout.write('| window | median | slowest | CPU, server + database |\n|---|---|---|---|\n')
  for (const window of ['5m', '24h']) await measure(server, token, window)
} finally {
  await bench.stop()
}

/**
 * One process that counts in every other turn: between two processes differ more things than that, and a machine that is busy
 * with others is as busy in the one turn as in the next.
 */
async function compare({ title, shoot, part }: Row, speakers: Speaker[], server: Server): Promise<void> {
  const amount = Math.round(Number(values.amount) * part)
  const spent = async (isCounting: boolean) => {
    server.child.send(isCounting ? 'count' : 'rest')
    const before = await cpuOf(server)
    await fire(server, shoot, speakers, { connections, amount })
    return ((await cpuOf(server)) - before) / amount
  }
  const costs: { counting: number; resting: number }[] = []
  // The first rounds warm it up, and do not count. Who goes first in a round takes turns, too.
  for (let round = -5; round < rounds; round++) {
    const [first, second] = [await spent(round % 2 === 0), await spent(round % 2 !== 0)]
    const [counting, resting] = round % 2 === 0 ? [first, second] : [second, first]
    if (round >= 0) costs.push({ counting, resting })
    if (part < 1) await removeStores(bench.database.ownerUrl, speakers)
  }
  const share = await sample(
    () => fire(server, shoot, speakers, { connections, amount: amount * SAMPLED_ROUNDS }),
    server,
  )
  const ratios = costs.map(({ counting, resting }) => counting / resting).toSorted((a, b) => a - b)
  const of = (name: 'counting' | 'resting') => median(costs.map((cost) => cost[name]))
  const half = [0.25, 0.75].map((place) => ratios[Math.floor(ratios.length * place)]?.toFixed(3)).join('–')
  process.stdout.write(
    `| ${title} | ${of('resting').toFixed(0)} | ${of('counting').toFixed(0)} | ${(of('counting') / of('resting')).toFixed(3)} | ${median(ratios).toFixed(3)} | ${half} | ${(100 * share).toFixed(2)} % |\n`,
  )
}

/** The share of the server's time that the counting takes meanwhile. */
async function sample(work: () => Promise<unknown>, { child }: Server): Promise<number> {
  child.send('count')
  child.send('sample')
  await work()
  return new Promise((resolve) => {
    child.once('message', (told: { share: number }) => resolve(told.share))
    child.send('share')
  })
}

async function makeOperator({ port }: Server): Promise<string> {
  const body = { bootstrap_token: TOKEN, email: 'operator@bench.example', password: PASSWORD, name: 'Operator' }
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/bootstrap`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(`bootstrap: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token // api.md
}

/** The most there can be: each tenant is in each quarter of an hour, and in each minute that is not merged yet. */
async function fill(): Promise<void> {
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await owner.query(
      `insert into tenants (id, name, slug, status, owner_id, created_at, updated_at)
       select gen_random_uuid(), 'Loaded ' || n, 'loaded-' || n, 'active', (select id from users limit 1), now(), now()
       from generate_series(1, $1::int) n`,
      [values.tenants],
    )
    await owner.query('delete from load_minutes')
    const figures =
      '(random() * 1e7)::bigint, (random() * 1e3)::bigint, (random() * 1e3)::bigint, (random() * 1e2)::bigint, (random() * 1e7)::bigint, (random() * 10)::bigint'
    const tenants = `(select id from tenants where slug like 'loaded-%') t`
    await owner.query(
      `insert into load_minutes select date_trunc('minute', now()) - n * interval '1 minute', t.id, ${figures} from generate_series(0, 7) n, ${tenants}`,
    )
    await owner.query(
      `insert into load_quarters select date_bin('15 minutes', now(), '2000-01-01T00:00:00Z') - n * interval '15 minutes', t.id, ${figures}
       from generate_series(0, 95) n, ${tenants}`,
    )
    await owner.query(
      `insert into load_totals select tenant_id, sum(db_us), sum(requests), sum(rows_written), sum(jobs), sum(bytes), sum(errors) from load_quarters group by 1`,
    )
    await owner.query('vacuum analyze')
  } finally {
    await owner.end()
  }
}

async function measure(server: Server, token: string, window: string): Promise<void> {
  const times: number[] = []
  const requests = Number(values.requests)
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/admin/load?window=${window}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const { by } = (await answer.json()) as { by?: { db_ms: unknown[] } } // as the API document has it
    if (by?.db_ms.length !== 20) throw new Error(`GET /admin/load: ${answer.status}`)
  }
  // A first tenth that does not count warms both sides up.
  for (let turn = 0; turn < requests / 10; turn++) await ask()
  const before = [await cpuOf(server), await cpuOfDatabase()] as const // a pair
  for (let turn = 0; turn < requests; turn++) {
    const begun = performance.now()
    await ask()
    times.push(performance.now() - begun)
  }
  const spent = [(await cpuOf(server)) - before[0], (await cpuOfDatabase()) - before[1]]
  const cpu = spent.map((us) => (us / 1_000 / requests).toFixed(1)).join(' + ')
  process.stdout.write(`| ${window} | ${median(times).toFixed(1)} | ${Math.max(...times).toFixed(1)} | ${cpu} |\n`)
}

/** Of the connections that the server has, in microseconds. Linux only. */
async function cpuOfDatabase(): Promise<number> {
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  const { rows } = await owner.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'tenantry'",
  )
  await owner.end()
  const times = await Promise.all(rows.map(({ pid }) => readFile(`/proc/${pid}/schedstat`, 'utf8')))
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1_000
}
