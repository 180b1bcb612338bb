// How many events a second go to a local receiver: by a bare loop of undici, and by a worker of the core with its rows, jobs and
// signatures, alternating in one run. What ten webhooks make of an event, and what they add to the change that it tells of. And
// what the deliveries of a tenant with many cost against those of one with few.
// node bench/webhooks.ts [--rounds 5] [--amount 5000] [--small 10000] [--large 2000000] [--requests 300] [--only send|fan-out|publish|growth]
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import pg from 'pg'
import pino from 'pino'
import { builtinModules, type Core, createCore, loadConfig } from 'tenantry'
import { type Store, storeCreated } from '../core/src/modules/stores/index.ts'
import { cpuOf, type Server } from './child.ts'
import { json, median, newStore, startBench } from './harness.ts'
import { compareGrowth } from './webhooks-growth.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    amount: { type: 'string', default: '5000' },
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '2000000' },
    requests: { type: 'string', default: '300' },
    only: { type: 'string' },
  },
})
const amount = Number(options.amount)
const rounds = Number(options.rounds)
const CONNECTIONS = 20
const FAN = 10
const PASSWORD = 'a bench needs a long passphrase'
const isAsked = (name: string) => options.only === undefined || options.only === name

/** A tenant's owner. */
export interface Owner {
  token: string
  tenantId: string
}

const bench = await startBench()
const env = {
  DATABASE_URL: bench.database.appUrl,
  DATABASE_SYSTEM_URL: bench.database.systemUrl,
  APP_SECRET: 'only-for-the-bench-0123456789-abcdefghijklmnop',
  OUTBOUND_ALLOW: '127.0.0.0/8',
  LOG_LEVEL: 'warn',
  BENCH_ROLE: 'core',
}
let poster: Core | undefined
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0', OUTBOUND_ALLOW: '127.0.0.0/8' })
  await asOwner((owner) =>
    owner.query('update core.plans set limits = limits || \'{"webhooks": null, "stores": null}\''),
  )
  const log = pino({ level: 'warn' })
  poster = await createCore({ config: loadConfig(env, builtinModules), modules: builtinModules, log })
  await poster.prepare()
  const sink = await bench.launch('webhooks-child.ts', { BENCH_ROLE: 'sink' })
  if (isAsked('send')) await compareSending(poster, server, sink)
  if (isAsked('fan-out')) await showFanOut(poster, server, sink)
  if (isAsked('publish')) await showPublishing(server, sink)
  if (isAsked('growth')) {
    const sizes = [Number(options.small), Number(options.large)] as const
    const owners = await Promise.all(sizes.map((size) => register(server, `growth${size}`)))
    const hooks = await Promise.all(owners.map((owner) => addWebhook(server, owner, sink)))
    const requests = Number(options.requests)
    await asOwner((database) => compareGrowth({ server, database, owners, hooks, sizes, requests }))
  }
} finally {
  await poster?.close()
  await bench.stop()
}

async function compareSending(core: Core, server: Server, sink: Server): Promise<void> {
  const owner = await register(server, 'send')
  await addWebhook(server, owner, sink)
  const store = await openStore(server, owner)
  const body = await firstBody(sink)
  const loop = await bench.launch('webhooks-child.ts', {
    BENCH_ROLE: 'loop',
    SINK: `http://127.0.0.1:${sink.port}`,
    BODY: body,
    CONNECTIONS: String(CONNECTIONS),
  })
  const worker = await bench.launch('webhooks-child.ts', env)
  worker.child.send(1)
  const rates: { loop: number; core: number; cpu: number }[] = []
  for (let round = -1; round < rounds; round++) {
    const bare = await perSecond(sink, amount, () => loop.child.send(amount))
    const before = await cpuOf(worker)
    // In one transaction, so that all of it is there at once.
    const rate = await perSecond(sink, amount, () => void publish(core, owner, store, amount))
    const cpu = ((await cpuOf(worker)) - before) / amount
    // A first round that does not count warms all of them up.
    if (round >= 0) rates.push({ loop: bare, core: rate, cpu })
  }
  await end(worker)
  const ratio = median(rates.map(({ loop, core }) => core / loop))
  const of = (name: 'loop' | 'core' | 'cpu') => median(rates.map((rate) => rate[name])).toFixed(0)
  process.stdout.write(
    `\nDeliveries a second to one receiver, ${CONNECTIONS} at once: undici ${of('loop')}, the core ${of('core')} (${of('cpu')} CPU µs each); ratio ${ratio.toFixed(2)}, target 0.4\n`,
  )
}

async function showFanOut(core: Core, server: Server, sink: Server): Promise<void> {
  const owner = await register(server, 'fan')
  const store = await openStore(server, owner)
  for (let i = 0; i < FAN; i++) await addWebhook(server, owner, sink)
  const events = Math.floor(amount / FAN)
  const noted: number[] = []
  const sent: number[] = []
  for (let round = -1; round < rounds; round++) {
    const begun = performance.now()
    for (let i = 0; i < events; i++) await publish(core, owner, store, 1)
    const seconds = (performance.now() - begun) / 1_000
    const { rate } = await sendAll(sink, events * FAN)
    if (round < 0) continue
    noted.push(events / seconds)
    sent.push(rate)
  }
  const all = median(sent)
  process.stdout.write(
    `\nTo ${FAN} webhooks: ${median(noted).toFixed(0)} transactions of an event a second are noted, one after the other; ${all.toFixed(0)} deliveries, which is ${(all / FAN).toFixed(0)} events, a second are sent\n`,
  )
}

async function showPublishing(server: Server, sink: Server): Promise<void> {
  const owners = []
  for (const webhooks of [0, 1, FAN]) {
    const owner = await register(server, `publish${webhooks}`)
    for (let i = 0; i < webhooks; i++) await addWebhook(server, owner, sink)
    owners.push({ owner, webhooks, times: [] as number[] })
  }
  for (let turn = -20; turn < Number(options.requests); turn++)
    for (const { owner, times } of owners) {
      const begun = performance.now()
      await openStore(server, owner)
      if (turn >= 0) times.push(performance.now() - begun)
    }
  process.stdout.write('\nOpening a store, ms, medians\n\n| webhooks | ms |\n|---|---|\n')
  for (const { webhooks, times } of owners) process.stdout.write(`| ${webhooks} | ${median(times).toFixed(2)} |\n`)
}

/** Sends what waits, by a worker of its own. */
async function sendAll(sink: Server, count: number): Promise<{ rate: number; cpu: number }> {
  const worker = await bench.launch('webhooks-child.ts', env)
  const before = await cpuOf(worker)
  const rate = await perSecond(sink, count, () => worker.child.send(1))
  const cpu = ((await cpuOf(worker)) - before) / count
  await end(worker)
  return { rate, cpu }
}

async function firstBody(sink: Server): Promise<string> {
  const body = told(sink, 'body')
  sink.child.send(1)
  await told(sink, 'waits')
  const worker = await bench.launch('webhooks-child.ts', env)
  worker.child.send(1)
  const text = String((await body).body)
  await end(worker)
  return text
}

async function end({ child }: Server): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** How many a second arrive once `start` is called, from the first on: a worker looks for work before. */
async function perSecond(sink: Server, count: number, start: () => void): Promise<number> {
  sink.child.send(count)
  await told(sink, 'waits')
  const all = told(sink, 'came')
  start()
  // Measured by the receiver: what it tells comes late while both cores are busy.
  const { ms } = await all
  return (count - 1) / (Number(ms) / 1_000)
}

function told({ child }: Server, what: string): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const hear = (message: Record<string, unknown>) => {
      if (!(what in message)) return
      child.off('message', hear)
      resolve(message)
    }
    child.on('message', hear)
  })
}

/** Lets so many things happen in one transaction. */
async function publish(core: Core, { tenantId }: Owner, store: Store, count: number): Promise<void> {
  await core.run(
    async (ctx) => {
      for (let i = 0; i < count; i++) await ctx.emit(storeCreated, { after: store })
    },
    { tenantId },
  )
}

async function register(server: Server, name: string): Promise<Owner> {
  const body = { email: `${name}@example.com`, password: PASSWORD, name: 'Owner', tenant_name: name }
  const made = await post(server, '/auth/register', body)
  return { token: made.access_token, tenantId: made.tenant.id }
}

function openStore(server: Server, owner: Owner): Promise<Store> {
  return post(server, '/stores', JSON.parse(newStore()), owner)
}

async function addWebhook(server: Server, owner: Owner, sink: Server): Promise<string> {
  const { id } = await post(
    server,
    '/webhooks',
    { url: `http://127.0.0.1:${sink.port}/in`, events: ['store.*'] },
    owner,
  )
  return id
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function post({ port }: Server, path: string, body: object, owner?: Owner): Promise<any> {
  const headers = owner ? { ...json, authorization: `Bearer ${owner.token}` } : json
  const url = `http://127.0.0.1:${port}/api/v1${path}`
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

async function asOwner<T>(work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}
