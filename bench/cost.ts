// What a request costs: CPU time of the server and of its database connections, against a protected server written by
// hand (protected.ts), alternating in one run. Linux only: the database's part is read from /proc.
// node bench/cost.ts [--rounds 5] [--scale 1] [--only list_stores,login]
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createSigner } from 'fast-jwt'
import pg from 'pg'
import { cpuOf, type Server } from './child.ts'
import { bearer, credentials, fire, json, median, newStore, type Shoot, startBench, storeOf } from './harness.ts'
import { removeStores, type Speaker, seed } from './seed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    connections: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
})
/** So many times as long as a round that counts. */
const WARM_UP = 4
const KEY = 'only-for-the-bench-0123456789-abcdefghijklmnop'

interface Row {
  name: string
  /** At most this part of what the protected server's request costs. */
  target: number
  /** Requests in a round. */
  amount: number
  core: Shoot
  protected: Shoot
}

const sign = createSigner({ key: KEY, expiresIn: 86_400_000 })
const tokens = new Map<string, string>()
/** What the protected server takes for a speaker. */
function signed({ userId, tenantId }: Speaker) {
  const token = tokens.get(userId) ?? sign({ sub: userId, tid: tenantId })
  tokens.set(userId, token)
  return { authorization: `Bearer ${token}` }
}

const read = (name: string, path: (speaker: Speaker, turn: number) => string, protectedPath = path): Row => ({
  name,
  target: 0.77,
  amount: 2_000,
  core: (speaker, turn) => ({ method: 'GET', path: `/api/v1${path(speaker, turn)}`, headers: bearer(speaker) }),
  protected: (speaker, turn) => ({ method: 'GET', path: protectedPath(speaker, turn), headers: signed(speaker) }),
})
const post = (path: string, headers: object, body: string) => ({
  method: 'POST' as const, // the word is the type
  path,
  headers: { ...json, ...headers },
  body,
})

const rows: Row[] = [
  read('list_stores', () => '/stores'),
  read('get_store', (speaker, turn) => `/stores/${storeOf(speaker, turn)}`),
  read(
    'users_me',
    () => '/users/me',
    () => '/me',
  ),
  read('list_users', () => '/users'),
  {
    name: 'create_store',
    target: 1,
    amount: 1_000,
    core: (speaker) => post('/api/v1/stores', bearer(speaker), newStore()),
    protected: (speaker) => post('/stores', signed(speaker), newStore()),
  },
  {
    name: 'login',
    target: 1.1,
    amount: 150,
    core: (speaker) => post('/api/v1/auth/login', {}, credentials(speaker)),
    protected: (speaker) => post('/login', {}, credentials(speaker)),
  },
]

const bench = await startBench()
const { database } = bench
const owner = new pg.Client({ connectionString: database.ownerUrl })
try {
  await owner.connect()
  const core = await bench.launchCore({ RATE_LIMIT_FACTOR: '1000' })
  // Afterwards: the core refuses to start beside tables that it does not know.
  await owner.query(await readFile(new URL('protected.sql', import.meta.url), 'utf8'))
  const protectedServer = await bench.launch('protected.ts', {
    BENCH_KEY: KEY,
    BENCH_PROTECTED_URL: database.appUrl,
  })
  const { unlimited } = await seed(`http://127.0.0.1:${core.port}`, database.ownerUrl)
  process.stdout.write('\nCPU µs per request, medians, server + database:\n')
  process.stdout.write('\n| request | core | protected server | ratio (median) | target |\n|---|---|---|---|---|\n')
  for (const row of rows) {
    if (values.only && !values.only.split(',').includes(row.name)) continue
    await compare(row, unlimited, core, protectedServer)
  }
} finally {
  await owner.end()
  await bench.stop()
}

/** CPU time of one request in microseconds. */
interface Cost {
  server: number
  database: number
}

async function compare(row: Row, speakers: Speaker[], core: Server, protectedServer: Server) {
  const costs: { core: Cost; protected: Cost }[] = []
  // A first round that does not count opens the connections and warms both up: a server runs for longer than a bench.
  for (let round = -1; round < Number(values.rounds); round++) {
    if (row.name === 'create_store') await removeStores(database.ownerUrl, speakers)
    const amount = Math.round(row.amount * Number(values.scale) * (round < 0 ? WARM_UP : 1))
    const ofCore = await measure(core, 'tenantry', amount, (volley) => fire(core, row.core, speakers, volley))
    const ofOther = await measure(protectedServer, 'bench_protected', amount, (volley) =>
      fire(protectedServer, row.protected, speakers, volley),
    )
    if (round >= 0) costs.push({ core: ofCore, protected: ofOther })
  }
  const shown = (side: 'core' | 'protected') =>
    (['server', 'database'] as const)
      .map((part) => Math.round(median(costs.map((cost) => cost[side][part]))))
      .join(' + ')
  const whole = ({ server, database }: Cost) => server + database
  const ratio = median(costs.map((cost) => whole(cost.core) / whole(cost.protected)))
  process.stdout.write(
    `| ${row.name} | ${shown('core')} | ${shown('protected')} | ${ratio.toFixed(2)} | ${row.target.toFixed(2)} |\n`,
  )
}

async function measure(
  server: Server,
  application: string,
  amount: number,
  load: (volley: { connections: number; amount: number }) => Promise<unknown>,
): Promise<Cost> {
  const before = [await cpuOf(server), await cpuOfDatabase(application)] as const // a pair, not a list
  await load({ connections: Number(values.connections), amount })
  const after = [await cpuOf(server), await cpuOfDatabase(application)] as const // as above
  return { server: (after[0] - before[0]) / amount, database: (after[1] - before[1]) / amount }
}

/** Of the connections that a server has, in microseconds. */
async function cpuOfDatabase(application: string): Promise<number> {
  const { rows } = await owner.query<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [
    application,
  ])
  const times = await Promise.all(rows.map(({ pid }) => readFile(`/proc/${pid}/schedstat`, 'utf8')))
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1_000
}
