// A process of bench/webhooks.ts: a receiver that takes everything, a bare loop of undici, or a worker of the core.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { Pool } from 'undici'

const tell = (told: object) => process.send?.({ port: 0, ...told })
const onAsked = (work: (amount: number) => Promise<void> | void) =>
  process.on('message', async (message) => {
    if (message === 'cost') {
      const { user, system } = process.cpuUsage()
      tell({ cpu: user + system })
    } else await work(Number(message))
  })

/** Tells when as many requests have come as it was asked for, in which time since the first, with the body of the last. */
function startSink(): void {
  let [wanted, came, begun] = [0, 0, 0]
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    response.end('ok')
    if (++came === 1) begun = performance.now()
    if (came === wanted) tell({ came, ms: performance.now() - begun, body: Buffer.concat(parts).toString() })
  })
  onAsked((amount) => {
    wanted = amount
    came = 0
    tell({ waits: true })
  })
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port })) // it listens on a port
}

function startLoop(): void {
  const { SINK = '', BODY = '', CONNECTIONS } = process.env
  const pool = new Pool(SINK, { connections: Number(CONNECTIONS), pipelining: 1 })
  onAsked(async (amount) => {
    let left = amount
    const work = async () => {
      while (left-- > 0) {
        const headers = { 'content-type': 'application/json' }
        const { body } = await pool.request({ path: '/in', method: 'POST', headers, body: BODY })
        await body.text()
      }
    }
    await Promise.all(Array.from({ length: Number(CONNECTIONS) }, work))
  })
  tell({})
}

async function startCore(): Promise<void> {
  const log = pino({ level: 'warn' })
  const core = await createCore({ config: loadConfig(process.env, builtinModules), modules: builtinModules, log })
  onAsked(() => void core.startWorker())
  // What was sent is written down before it ends, else it is sent once more.
  process.once('SIGTERM', () => void core.close().then(() => process.exit(0)))
  tell({})
}

const roles = { sink: startSink, loop: startLoop, core: startCore }
await roles[process.env.BENCH_ROLE as keyof typeof roles]() // said by whoever starts it
