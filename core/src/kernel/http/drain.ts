import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'

const SWEEP_MS = 100
/** How long to wait for the rest of a partly received request. */
const HALF_SENT_MS = 5 * SECONDS
/** The longest wait for a slow client: other processes wait for this one to end. */
const SLOWEST_MS = 20 * SECONDS

/** Closes connections when the server stops, also those that Node would wait for. */
export function drainConnections(app: FastifyInstance, core: Core): void {
  const sockets = new Set<Socket>()
  const open = new Set<FastifyReply>()
  app.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.addHook('onRequest', (_request, reply, done) => {
    open.add(reply)
    if (core.stopping.aborted) reply.header('connection', 'close')
    done()
  })
  app.addHook('onResponse', (_request, reply, done) => {
    open.delete(reply)
    done()
  })
  app.addHook('preClose', (done) => {
    announce(open)
    const begun = performance.now()
    const sweep = setInterval(() => sweepConnections(performance.now() - begun), SWEEP_MS).unref()
    app.server.once('close', () => clearInterval(sweep))
    // After this hook no new connections are accepted.
    setImmediate(() => sweepConnections(0))
    done()
  })

  function sweepConnections(passedMs: number): void {
    // A connection answered while closing stays open for further requests, which nobody would answer.
    app.server.closeIdleConnections()
    // Connections whose request is complete wait only for its answer.
    const waiting = new Set([...open].flatMap(({ request: { raw } }) => (raw.complete ? [raw.socket] : [])))
    for (const socket of sockets)
      if (waiting.has(socket) ? passedMs > SLOWEST_MS : isHopeless(socket, passedMs)) socket.destroy()
  }
}

/** Stops a listening server: first it only reports that it stops, so that a load balancer notices. */
export async function stopListening(app: FastifyInstance, core: Core): Promise<void> {
  const delayMs = core.config.http.shutdownDelaySeconds * SECONDS
  if (app.server.listening && delayMs > 0) await sleep(delayMs)
  await app.close()
}

/** Adds `Connection: close` to pending answers. */
function announce(open: Iterable<FastifyReply>): void {
  for (const reply of open) if (!reply.raw.headersSent) reply.header('connection', 'close')
}

/**
 * A connection without any bytes (a probe, or one opened by a browser in advance) is closed at once; a partly sent
 * request may still be completed.
 */
function isHopeless({ bytesRead }: Socket, passedMs: number): boolean {
  return bytesRead === 0 || passedMs > HALF_SENT_MS
}
