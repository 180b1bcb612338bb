// A balancer as it stands before real servers: it asks each whether it is ready and sends requests to those that are.
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PROBE_MS = 50
/** As balancers do: on a busy machine one probe may be late. */
const UNHEALTHY_AFTER = 2

export interface Balancer {
  url: string
  /** Whether requests go to the server on this port. */
  uses(port: number): boolean
  close(): void
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  const ready = new Set<number>()
  let turn = 0
  const server = createServer((incoming, answer) => {
    const targets = [...ready]
    const port = targets[turn++ % targets.length]
    if (port === undefined) return void answer.writeHead(502).end('no server is ready')
    const options = { host: '127.0.0.1', port, agent, method: incoming.method, path: incoming.url }
    const outgoing = request({ ...options, headers: incoming.headers }, (received) => {
      // The connection to the server and that to the client are two.
      const { connection: _, ...headers } = received.headers
      answer.writeHead(received.statusCode ?? 502, headers)
      received.pipe(answer)
    })
    outgoing.on('error', (error) => answer.writeHead(502).end(String(error)))
    incoming.pipe(outgoing)
  })
  // A client that waited for long would send its next request just when its connection is closed.
  server.keepAliveTimeout = 0
  await once(server.listen(0, '127.0.0.1'), 'listening')
  let isOpen = true
  const probe = async (port: number) => {
    let failures = 0
    for (; isOpen; await sleep(PROBE_MS)) {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
      await answer?.text().catch(() => undefined)
      failures = answer?.status === 200 ? 0 : failures + 1
      if (failures === 0) ready.add(port)
      else if (failures >= UNHEALTHY_AFTER) ready.delete(port)
    }
  }
  for (const port of ports) void probe(port)
  const { port } = server.address() as AddressInfo // it listens on a port
  const close = () => {
    isOpen = false
    server.close()
    server.closeAllConnections()
    agent.destroy()
  }
  return { url: `http://127.0.0.1:${port}`, uses: (port) => ready.has(port), close }
}
