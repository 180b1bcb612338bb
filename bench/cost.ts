// What a request costs: CPU time of the server and of its database connections, against a protected server written by
// hand (protected.ts), alternating in one run.
// node bench/cost.ts [--rounds 5] [--scale 1] [--only list_stores,login]
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { createSigner } from 'fast-jwt'
import pg from 'pg'
import { builtinModules, migrationsOf } from 'tenantry'
import { startEmbedded } from '../core/src/kernel/db/embedded.ts'
import { migrate } from '../core/src/kernel/db/migrate.ts'
import { PASSWORD, removeStores, type Speaker, seed } from './seed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    connections: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
})
const CORE_PORT = 39_103
const PROTECTED_PORT = 39_104
const sign = createSigner({ key: 'only-for-the-bench-0123456789-abcdefghijklmnop', expiresIn: 86_400_000 })

interface Shot {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}
interface Row {
  name: string
  /** At most this part of what the protected server's request costs. */
  target: number
  /** Requests in a round. */
  amount: number
  core: (speaker: Speaker, turn: number) => Shot
  floor: (speaker: Speaker, turn: number) => Shot
}

const json = { 'content-type': 'application/json' }
const bearer = ({ token }: Speaker) => ({ authorization: `Bearer ${token}` })
const tokens = new Map<string, string>()
const signed = ({ userId, tenantId }: Speaker) => {
  const token = tokens.get(userId) ?? sign({ sub: userId, tid: tenantId })
  tokens.set(userId, token)
  return { authorization: `Bearer ${token}` }
}
const get = (core: string | ((speaker: Speaker, turn: number) => string), floor = core) => ({
  core: (speaker: Speaker, turn: number): Shot => ({
    method: 'GET',
    path: `/api/v1${pathOf(core, speaker, turn)}`,
    headers: bearer(speaker),
  }),
  floor: (speaker: Speaker, turn: number): Shot => ({
    method: 'GET',
    path: pathOf(floor, speaker, turn),
    headers: signed(speaker),
  }),
})
const pathOf = (path: string | ((speaker: Speaker, turn: number) => string), speaker: Speaker, turn: number) =>
  typeof path === 'string' ? path : path(speaker, turn)
let names = 0
const newStore = () => JSON.stringify({ name: `Core ${++names}`, code: `C${names}` })
const credentials = ({ email }: Speaker) => JSON.stringify({ email, password: PASSWORD })

const rows: Row[] = [
  { name: 'list_stores', target: 0.77, amount: 2_000, ...get('/stores') },
  {
    name: 'get_store',
    target: 0.77,
    amount: 2_000,
    ...get(({ storeIds }, turn) => `/stores/${storeIds[turn % storeIds.length]}`),
  },
  { name: 'users_me', target: 0.77, amount: 2_000, ...get('/users/me', '/me') },
  { name: 'list_users', target: 0.77, amount: 2_000, ...get('/users') },
  {
    name: 'create_store',
    target: 1,
    amount: 1_000,
    core: (speaker) => ({
      method: 'POST',
      path: '/api/v1/stores',
      headers: { ...json, ...bearer(speaker) },
      body: newStore(),
    }),
    floor: (speaker) => ({
      method: 'POST',
      path: '/stores',
      headers: { ...json, ...signed(speaker) },
      body: newStore(),
    }),
  },
  {
    name: 'login',
    target: 1.1,
    amount: 150,
    core: (speaker) => ({ method: 'POST', path: '/api/v1/auth/login', headers: json, body: credentials(speaker) }),
    floor: (speaker) => ({ method: 'POST', path: '/login', headers: json, body: credentials(speaker) }),
  },
]

const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
const database = await startEmbedded({ dataDir })
const children: ChildProcess[] = []
const owner = new pg.Client({ connectionString: database.ownerUrl })
try {
  await migrate({
    ...database,
    appRole: 'tenantry_app',
    systemRole: 'tenantry_system',
    sources: migrationsOf(builtinModules),
  })
  await owner.connect()
  const core = await launch('core.ts', {
    BENCH_PORT: String(CORE_PORT),
    DATABASE_URL: database.appUrl,
    DATABASE_SYSTEM_URL: database.systemUrl,
    APP_SECRET: 'only-for-the-bench-0123456789-abcdefghijklmnop',
    DATA_DIR: dataDir,
    RATE_LIMIT_FACTOR: '1000',
    LOG_LEVEL: 'warn',
    ACCESS_TOKEN_TTL: '86400',
  })
  // Afterwards: the core refuses to start beside tables that it does not know.
  await owner.query(await readFile(new URL('protected.sql', import.meta.url), 'utf8'))
  const floor = await launch('protected.ts', {
    BENCH_PORT: String(PROTECTED_PORT),
    BENCH_PROTECTED_URL: database.appUrl,
  })
  const { unlimited } = await seed(`http://127.0.0.1:${CORE_PORT}`, database.ownerUrl)
  process.stdout.write(
    '| request | core µs (server + database) | protected µs | ratio (median) | target |\n|---|---|---|---|---|\n',
  )
  for (const row of rows) {
    if (values.only && !values.only.split(',').includes(row.name)) continue
    const results: { core: Cost; floor: Cost }[] = []
    for (let round = -1; round < Number(values.rounds); round++) {
      if (row.name === 'create_store') await removeStores(database.ownerUrl, unlimited)
      const result = {
        core: await measure(core, 'tenantry', CORE_PORT, row.core, unlimited, row.amount),
        floor: await measure(floor, 'bench_protected', PROTECTED_PORT, row.floor, unlimited, row.amount),
      }
      if (round >= 0) results.push(result)
    }
    const of = (side: 'core' | 'floor', part: keyof Cost) => Math.round(median(results.map((each) => each[side][part])))
    const ratio = median(
      results.map(({ core, floor }) => (core.server + core.database) / (floor.server + floor.database)),
    )
    process.stdout.write(
      `| ${row.name} | ${of('core', 'server')} + ${of('core', 'database')} | ${of('floor', 'server')} + ${of('floor', 'database')} | ${ratio.toFixed(2)} | ${row.target} |\n`,
    )
  }
} finally {
  for (const child of children) child.kill('SIGTERM')
  await owner.end()
  await database.stop()
  await rm(dataDir, { recursive: true, force: true })
}

/** CPU time per request in microseconds. */
interface Cost {
  server: number
  database: number
}

async function measure(
  child: ChildProcess,
  application: string,
  port: number,
  make: Row['core'],
  speakers: Speaker[],
  amount: number,
): Promise<Cost> {
  const total = Math.round(amount * Number(values.scale))
  // Connections stay open from round to round; the first round opens them.
  const before = [await cpuOf(child), await cpuOfDatabase(application)] as const
  await fire(port, make, speakers, total)
  const after = [await cpuOf(child), await cpuOfDatabase(application)] as const
  return { server: (after[0] - before[0]) / total, database: (after[1] - before[1]) / total }
}

function cpuOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('message', (told: { cpu: number }) => resolve(told.cpu))
    child.send('cost')
  })
}

async function cpuOfDatabase(application: string): Promise<number> {
  const { rows } = await owner.query<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [
    application,
  ])
  const times = await Promise.all(
    rows.map(async ({ pid }) => Number((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0])),
  )
  return times.reduce((sum, time) => sum + time, 0) / 1_000
}

function launch(file: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv:
      process.env.BENCH_PROFILE === file ? ['--import', '/tmp/exit.mjs', '--cpu-prof', '--cpu-prof-dir=/tmp/prof'] : [],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
}

async function fire(port: number, make: Row['core'], speakers: Speaker[], amount: number): Promise<void> {
  let turn = 0
  const shot = () => make(speakers[turn % speakers.length]!, turn++) // there are speakers
  const fresh = shot().method === 'POST'
  const requests = Array.from({ length: 400 }, shot).map((each) => ({
    ...each,
    ...(fresh ? { setupRequest: (request: object) => ({ ...request, ...shot() }) } : {}),
  }))
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: Number(values.connections),
    amount,
    requests,
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(
      `${requests[0]?.path}: ${result.non2xx} answers were no success (${JSON.stringify(result.statusCodeStats)})`,
    )
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
