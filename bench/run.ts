// Compares the core with a floor in one run, alternating, and prints the ratios of requests per second.
// node bench/run.ts [--rounds 5] [--seconds 4] [--connections 16] [--only list_stores,get_store]
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hash } from '@node-rs/argon2'
import autocannon from 'autocannon'
import { builtinModules, migrationsOf } from 'tenantry'
import { startEmbedded } from '../core/src/kernel/db/embedded.ts'
import { migrate } from '../core/src/kernel/db/migrate.ts'
import {
  PASSWORD,
  PEOPLE_PER_TENANT,
  removeStores,
  type Speaker,
  type Speakers,
  STORES_PER_TENANT,
  seed,
  TENANTS,
} from './seed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string' },
  },
})
const CORE_PORT = 39_101
const FLOOR_PORT = 39_102

interface Shot {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

interface Row {
  name: string
  title: string
  target: number
  core: (speaker: Speaker, turn: number) => Shot
  /** What it is compared with; to the floor, unless `against` is the core itself. */
  floor: (speaker: Speaker, turn: number) => Shot
  against?: 'core'
  /** Who sends the core's requests. Default: tenants whose plan allows any number. What they make is deleted again. */
  speakers?: 'limited'
}

const json = { 'content-type': 'application/json' }
const bearer = ({ token }: Speaker) => ({ authorization: `Bearer ${token}` })
const storeOf = ({ storeIds }: Speaker, turn: number) => storeIds[turn % storeIds.length]
let names = 0
const createStore = (speaker: Speaker): Shot => ({
  method: 'POST',
  path: '/api/v1/stores',
  headers: { ...json, ...bearer(speaker) },
  body: JSON.stringify({ name: `Core ${++names}`, code: `C${names}` }),
})
// The argon2 parameters of the core (OWASP's minimum): see core/src/modules/auth/passwords/hasher.ts.
const bareHash = await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })

const rows: Row[] = [
  {
    name: 'list_stores',
    title: 'List 20 stores',
    target: 0.7,
    core: (speaker) => ({ method: 'GET', path: '/api/v1/stores', headers: bearer(speaker) }),
    floor: ({ tenantId }) => ({ method: 'GET', path: `/stores/${tenantId}` }),
  },
  {
    name: 'get_store',
    title: 'Get a store',
    target: 0.7,
    core: (speaker, turn) => ({
      method: 'GET',
      path: `/api/v1/stores/${storeOf(speaker, turn)}`,
      headers: bearer(speaker),
    }),
    floor: (speaker, turn) => ({ method: 'GET', path: `/stores/${speaker.tenantId}/${storeOf(speaker, turn)}` }),
  },
  {
    name: 'users_me',
    title: 'GET /users/me',
    target: 0.65,
    core: (speaker) => ({ method: 'GET', path: '/api/v1/users/me', headers: bearer(speaker) }),
    floor: ({ userId }) => ({ method: 'GET', path: `/users/${userId}` }),
  },
  {
    name: 'create_store',
    title: 'Create a store, with its audit record',
    target: 0.6,
    core: createStore,
    floor: ({ tenantId }) => ({
      method: 'POST',
      path: `/stores/${tenantId}`,
      headers: json,
      body: JSON.stringify({ name: `Floor ${++names}` }),
    }),
  },
  {
    name: 'create_store_under_limit',
    title: 'Create a store under a limit, against one without',
    target: 0.75,
    core: createStore,
    floor: createStore,
    against: 'core',
    speakers: 'limited',
  },
  {
    name: 'login',
    title: 'Login, against a bare argon2 verify',
    target: 0.9,
    core: ({ email }) => ({
      method: 'POST',
      path: '/api/v1/auth/login',
      headers: json,
      body: JSON.stringify({ email, password: PASSWORD }),
    }),
    floor: () => ({
      method: 'POST',
      path: '/login',
      headers: json,
      body: JSON.stringify({ password: PASSWORD, hash: bareHash }),
    }),
  },
]

const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
const database = await startEmbedded({ dataDir })
const children: ChildProcess[] = []
try {
  await migrate({
    ...database,
    appRole: 'tenantry_app',
    systemRole: 'tenantry_system',
    sources: migrationsOf(builtinModules),
  })
  children.push(
    await launch('core.ts', coreEnvironment()),
    await launch('floor.ts', { BENCH_PORT: String(FLOOR_PORT), BENCH_FLOOR_URL: floorUrl() }),
  )
  process.stdout.write(`Seeding ${TENANTS} tenants × ${STORES_PER_TENANT} stores, ${PEOPLE_PER_TENANT} people each …\n`)
  const speakers = await seed(`http://127.0.0.1:${CORE_PORT}`, database.ownerUrl)
  const chosen = rows.filter(({ name }) => !values.only || values.only.split(',').includes(name))
  const results = []
  for (const row of chosen) results.push(await compare(row, speakers))
  print(results)
  if (!values.only) await save(results)
} finally {
  for (const child of children) child.kill('SIGTERM')
  await database.stop()
  await rm(dataDir, { recursive: true, force: true })
}

function coreEnvironment(): Record<string, string> {
  return {
    BENCH_PORT: String(CORE_PORT),
    DATABASE_URL: database.appUrl,
    DATABASE_SYSTEM_URL: database.systemUrl,
    APP_SECRET: 'only-for-the-bench-0123456789-abcdefghijklmnop',
    DATA_DIR: dataDir,
    RATE_LIMIT_FACTOR: '0',
    LOG_LEVEL: 'warn',
    // One token for the whole run: the load does not refresh.
    ACCESS_TOKEN_TTL: '86400',
  }
}

/** The floor reads past row-level security, as an application without tenants' protection would: as the owner. */
function floorUrl(): string {
  return `${database.ownerUrl}`
}

function launch(file: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
}

interface Result {
  name: string
  title: string
  target: number
  ratio: number
  core: number
  floor: number
  ratios: number[]
}

async function compare(row: Row, { unlimited, limited }: Speakers): Promise<Result> {
  const core: number[] = []
  const floor: number[] = []
  const speakers = row.speakers === 'limited' ? limited : unlimited
  const port = row.against === 'core' ? CORE_PORT : FLOOR_PORT
  await fire(CORE_PORT, row.core, speakers, 1)
  await fire(port, row.floor, unlimited, 1)
  for (let round = 0; round < Number(values.rounds); round++) {
    // A tenant has some hundred of something that a plan limits, not as many thousands as rounds of load make.
    if (row.speakers === 'limited') await removeStores(database.ownerUrl, [...limited, ...unlimited])
    core.push(await fire(CORE_PORT, row.core, speakers, Number(values.seconds)))
    floor.push(await fire(port, row.floor, unlimited, Number(values.seconds)))
  }
  const ratios = core.map((value, round) => value / floor[round]!) // both lists have one entry per round
  return {
    name: row.name,
    title: row.title,
    target: row.target,
    ratio: median(ratios),
    core: median(core),
    floor: median(floor),
    ratios,
  }
}

async function fire(port: number, make: Row['core'], speakers: Speaker[], seconds: number): Promise<number> {
  let turn = 0
  const shot = () => make(speakers[turn % speakers.length]!, turn++) // there are speakers
  const fresh = shot().method === 'POST'
  const requests = Array.from({ length: 400 }, shot).map((each) => ({
    ...each,
    // A create must send something new each time; reads are prepared once.
    ...(fresh ? { setupRequest: (request: object) => ({ ...request, ...shot() }) } : {}),
  }))
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: Number(values.connections),
    duration: seconds,
    requests,
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(
      `${requests[0]?.path}: ${result.non2xx} answers were no success (${JSON.stringify(result.statusCodeStats)}), ${result.errors} errors`,
    )
  return result.requests.average
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function print(results: Result[]): void {
  process.stdout.write('\n| request | core, req/s | floor, req/s | ratio (median) | target |\n|---|---|---|---|---|\n')
  for (const { title, core, floor, ratio, target } of results)
    process.stdout.write(
      `| ${title} | ${Math.round(core)} | ${Math.round(floor)} | ${ratio.toFixed(2)} | ${target.toFixed(2)} |\n`,
    )
}

async function save(results: Result[]): Promise<void> {
  const text = JSON.stringify(
    { at: new Date().toISOString(), node: process.version, rounds: Number(values.rounds), results },
    null,
    2,
  )
  await writeFile(new URL('results.json', import.meta.url), `${text}\n`)
}
