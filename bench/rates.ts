// What the rate limits add to a request: CPU time of the server and how long an answer takes, with the limits off, counted
// in memory, and counted in Redis, alternating in one run.
// node bench/rates.ts [--rounds 7] [--amount 4000] [--connections 8]; REDIS_URL, or redis-server on the PATH
import { parseArgs } from 'node:util'
import { startRedis } from '../scripts/check/servers.ts'
import { cpuOf, type Server } from './child.ts'
import { bearer, fire, median, type Shoot, startBench } from './harness.ts'
import { type Speaker, seed } from './seed.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    amount: { type: 'string', default: '4000' },
    connections: { type: 'string', default: '8' },
  },
})
const amount = Number(values.amount)
const connections = Number(values.connections)

/** Counted under two policies (`user` and `tenant`), and under one (`public`). */
const rows: [string, Shoot][] = [
  [
    'a signed-in person, two counts',
    (speaker) => ({ method: 'GET', path: '/api/v1/users/me', headers: bearer(speaker) }),
  ],
  [
    'without a credential, one count',
    // From many addresses: even a thousand times the limit is soon used up by one.
    (_speaker, turn) => ({
      method: 'GET',
      path: '/.well-known/jwks.json',
      headers: { 'x-forwarded-for': `192.0.2.${turn % 200}` },
    }),
  ],
]

const proxied = { TRUSTED_PROXIES: '127.0.0.0/8' }
// For the tests of the check there may be one already.
if (process.env.REDIS_URL) process.env.TEST_REDIS_URL ??= process.env.REDIS_URL
const redis = await startRedis()
if (!redis) process.stderr.write('No Redis: set REDIS_URL, or install redis-server. Only memory is measured.\n')
const bench = await startBench()
try {
  const variants: [string, Server][] = [
    ['off', await bench.launchCore({ ...proxied, RATE_LIMIT_FACTOR: '0' })],
    ['memory', await bench.launchCore({ ...proxied, RATE_LIMIT_FACTOR: '1000', REDIS_URL: '' })],
  ]
  if (redis)
    variants.push(['Redis', await bench.launchCore({ ...proxied, RATE_LIMIT_FACTOR: '1000', REDIS_URL: redis.url })])
  const { unlimited } = await seed(`http://127.0.0.1:${variants[0]![1].port}`, bench.database.ownerUrl)
  process.stdout.write(
    '\nCPU µs of the server per request, medians; what the limits add, of which most is the headers\n\n',
  )
  process.stdout.write(
    `| request | ${variants.map(([name]) => name).join(' | ')} |\n|---|${'---|'.repeat(variants.length)}\n`,
  )
  for (const [title, shoot] of rows) await compare(title, shoot, unlimited, variants)
} finally {
  await bench.stop()
  await redis?.stop()
}

async function compare(title: string, shoot: Shoot, speakers: Speaker[], variants: readonly [string, Server][]) {
  const costs = new Map(variants.map(([name]) => [name, [] as number[]]))
  // A first round that does not count opens the connections and warms all of them up.
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const [name, server] of variants) {
      const before = await cpuOf(server)
      await fire(server, shoot, speakers, { connections, amount })
      if (round >= 0) costs.get(name)!.push(((await cpuOf(server)) - before) / amount)
    }
  }
  const off = costs.get('off')!
  const cells = [...costs.values()].map((of) => {
    const added = median(of.map((cost, round) => cost - off[round]!))
    return of === off ? median(of).toFixed(0) : `${median(of).toFixed(0)} (${added < 0 ? '' : '+'}${added.toFixed(1)})`
  })
  process.stdout.write(`| ${title} | ${cells.join(' | ')} |\n`)
}
