// Compares the core with a floor in one run, alternating, and prints the ratios of requests per second.
// node bench/run.ts [--rounds 5] [--seconds 4] [--connections 16] [--only list_stores,get_store]
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { hash } from '@node-rs/argon2'
import type { Server } from './child.ts'
import {
  bearer,
  credentials,
  fire,
  json,
  median,
  newStore,
  type Shoot,
  type Shot,
  startBench,
  storeOf,
} from './harness.ts'
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
const volley = { connections: Number(values.connections), duration: Number(values.seconds) }

interface Row {
  name: string
  title: string
  target: number
  core: Shoot
  /** What it is compared with; to the floor, unless `against` is the core itself. */
  floor: Shoot
  against?: 'core'
  /** Who sends the core's requests. Default: tenants whose plan allows any number. What they make is deleted again. */
  speakers?: 'limited'
}

let names = 0
const createStore = (speaker: Speaker): Shot => ({
  method: 'POST',
  path: '/api/v1/stores',
  headers: { ...json, ...bearer(speaker) },
  body: newStore(),
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
    name: 'list_stores_by_key',
    title: 'List 20 stores by API key',
    target: 0.65,
    core: ({ apiKey }) => ({ method: 'GET', path: '/api/v1/stores', headers: { authorization: `Bearer ${apiKey}` } }),
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
    core: (speaker) => ({ method: 'POST', path: '/api/v1/auth/login', headers: json, body: credentials(speaker) }),
    floor: () => ({
      method: 'POST',
      path: '/login',
      headers: json,
      body: JSON.stringify({ password: PASSWORD, hash: bareHash }),
    }),
  },
]

const bench = await startBench()
const { database } = bench
try {
  const core = await bench.launchCore({ RATE_LIMIT_FACTOR: '1000' })
  // It reads past row-level security, as an application without tenants' protection would: as the owner.
  const floor = await bench.launch('floor.ts', { BENCH_FLOOR_URL: database.ownerUrl })
  process.stdout.write(`Seeding ${TENANTS} tenants × ${STORES_PER_TENANT} stores, ${PEOPLE_PER_TENANT} people each …\n`)
  const speakers = await seed(`http://127.0.0.1:${core.port}`, database.ownerUrl)
  const chosen = rows.filter(({ name }) => !values.only || values.only.split(',').includes(name))
  const results = []
  for (const row of chosen) results.push(await compare(row, speakers, { core, floor }))
  print(results)
  if (!values.only) await save(results)
} finally {
  await bench.stop()
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

async function compare(
  row: Row,
  { unlimited, limited }: Speakers,
  servers: Record<'core' | 'floor', Server>,
): Promise<Result> {
  const core: number[] = []
  const floor: number[] = []
  const speakers = row.speakers === 'limited' ? limited : unlimited
  const other = row.against === 'core' ? servers.core : servers.floor
  await fire(servers.core, row.core, speakers, { ...volley, duration: 1 })
  await fire(other, row.floor, unlimited, { ...volley, duration: 1 })
  for (let round = 0; round < Number(values.rounds); round++) {
    // A tenant has some hundred of something that a plan limits, not as many thousands as rounds of load make.
    if (row.speakers === 'limited') await removeStores(database.ownerUrl, [...limited, ...unlimited])
    core.push(await fire(servers.core, row.core, speakers, volley))
    floor.push(await fire(other, row.floor, unlimited, volley))
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
