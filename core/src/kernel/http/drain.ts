import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'

const SWEEP_MS = 100
/** A request of which a part has arrived may still become whole within this time. */
const HALF_SENT_MS = 5 * SECONDS
/** Longer than this no client is waited for that sends or reads too slowly: others wait for this process to end. */
const SLOWEST_MS = 20 * SECONDS

/** Ends connections when the server stops, those that Node itself would wait for included. */
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
    // Once nothing new is accepted, which is just after this hook.
    setImmediate(() => sweepConnections(0))
    done()
  })

  function sweepConnections(passedMs: number): void {
    // A connection that was answered while closing stays open for more requests, which nobody would answer.
    app.server.closeIdleConnections()
    // Whose request is here as a whole waits for the answer alone.
    const waiting = new Set([...open].flatMap(({ request: { raw } }) => (raw.complete ? [raw.socket] : [])))
    for (const socket of sockets)
      if (waiting.has(socket) ? passedMs > SLOWEST_MS : isHopeless(socket, passedMs)) socket.destroy()
  }
}

/** Stops a server that listens: first it only says so, for as long as a balancer needs to notice. */
export async function stopListening(app: FastifyInstance, core: Core): Promise<void> {
  const delayMs = core.config.http.shutdownDelaySeconds * SECONDS
  if (app.server.listening && delayMs > 0) await sleep(delayMs)
  await app.close()
}

/** Tells who waits for an answer that the connection ends with it. */
function announce(open: Iterable<FastifyReply>): void {
  for (const reply of open) if (!reply.raw.headersSent) reply.header('connection', 'close')
}

/** A probe, or what a browser opens in advance, never sends anything; the rest of a half-sent request may be on its way. */
function isHopeless({ bytesRead }: Socket, passedMs: number): boolean {
  return bytesRead === 0 || passedMs > HALF_SENT_MS
}
