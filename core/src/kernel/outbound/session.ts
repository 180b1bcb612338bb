import type { Address } from '../addresses/addresses.ts'
import { SECONDS } from '../clock.ts'
import { type Connection, createConnection, isAmong, StaleConnection } from './connection.ts'
import { type Exchanged, withinTime } from './exchange.ts'
import type { OutboundAnswer, OutboundRequest } from './outbound.ts'
import { createPlaces } from './places.ts'
import { type Reach, unlessAborted } from './reach.ts'

/** Requests to one URL over connections that are kept. */
export interface OutboundSession {
  readonly url: string
  /**
   * As `send` of Outbound, over a connection of the session. The addresses of the host are looked up and checked for
   * every new connection, and again before a request when that was some seconds ago; connections to addresses that are
   * no longer among them end. A request for which every connection is busy waits, which counts in its time. A request
   * may come to the server twice, when the server ends a connection at the moment when it is used again.
   */
  send(request: Omit<OutboundRequest, 'url'>): Promise<OutboundAnswer>
  /** Ends the connections, each after its request. Nothing can be sent afterwards. */
  close(): Promise<void>
}

/** How long a check of the addresses counts for connections that are there. */
export const RECHECK_MS = 5 * SECONDS
/** One check serves several requests, so it has a time of its own. */
const CHECK_MS = 10 * SECONDS

interface Options {
  /** Throws OutboundError for a URL that may not be requested. */
  read(url: string): URL
  reach: Reach
  connections: number
  recheckMs: number
}

export function openSession(url: string, { read, reach, connections, recheckMs }: Options): OutboundSession {
  const places = createPlaces(connections)
  const running = new Set<Promise<unknown>>()
  let idle: Connection[] = []
  let isClosed = false
  let checked: { readonly addresses: readonly Address[]; readonly at: number } | null = null
  let checking: Promise<readonly Address[]> | null = null

  /** Those who ask while a check goes on share it. */
  function check(): Promise<readonly Address[]> {
    checking ??= checkNow().finally(() => {
      checking = null
    })
    return checking
  }

  async function checkNow(): Promise<readonly Address[]> {
    try {
      const addresses = await reach(read(url), AbortSignal.timeout(CHECK_MS))
      checked = { addresses, at: performance.now() }
      return addresses
    } catch (error) {
      checked = null
      throw error
    } finally {
      const kept = idle.filter(mayStay)
      for (const connection of idle) if (!kept.includes(connection)) connection.drop()
      idle = kept
    }
  }

  const mayStay = (connection: Connection) => checked !== null && isAmong(checked.addresses, connection.address())

  async function take(signal: AbortSignal): Promise<Connection> {
    const isOld = checked === null || performance.now() - checked.at >= recheckMs
    if (idle.length > 0 && isOld) await unlessAborted(check(), signal)
    return idle.pop() ?? create()
  }

  const create = () => createConnection(read(url), check)

  async function sendOver(connection: Connection, request: Omit<OutboundRequest, 'url'>, signal: AbortSignal) {
    let isWhole = false
    try {
      const exchanged: Exchanged = await connection.send(request, signal)
      isWhole = exchanged.isWhole
      return exchanged
    } finally {
      if (isWhole && !isClosed && mayStay(connection)) idle.push(connection)
      else connection.drop()
    }
  }

  async function attempt(request: Omit<OutboundRequest, 'url'>, signal: AbortSignal): Promise<Exchanged> {
    await places.take(signal)
    try {
      return await sendOver(await take(signal), request, signal).catch((error: unknown) => {
        if (!(error instanceof StaleConnection) || signal.aborted) throw error
        return sendOver(create(), request, signal)
      })
    } finally {
      places.release()
    }
  }

  return {
    url,
    async send(request) {
      if (isClosed) throw new Error('The session is closed')
      const sent = withinTime(request.timeoutMs, (signal) => attempt(request, signal))
      running.add(sent)
      return sent.finally(() => running.delete(sent))
    },
    async close() {
      isClosed = true
      for (const connection of idle.splice(0)) connection.drop()
      await Promise.allSettled(running)
    },
  }
}
