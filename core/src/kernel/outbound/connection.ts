import type { Socket } from 'node:net'
import { buildConnector, Client } from 'undici'
import { type Address, parsePeer } from '../addresses/addresses.ts'
import { SECONDS } from '../clock.ts'
import { boundBytes, CLIENT_OPTIONS, connectOptions, type Exchanged, exchange } from './exchange.ts'
import type { OutboundRequest } from './outbound.ts'
import { OutboundError } from './outbound-error.ts'

/** An idle connection is kept for this time at most, and shorter when the server says so. */
const IDLE_MS = 10 * SECONDS

/** A connection that carries one request after the other, and is made anew when the server has ended it. */
export interface Connection {
  /** The address at its other end; null while there is none. */
  address(): string | null
  send(request: ConnectionRequest, signal: AbortSignal): Promise<Exchanged>
  /** Ends it, whatever it does. */
  drop(): void
}

export type ConnectionRequest = Omit<OutboundRequest, 'url' | 'timeoutMs'>

/** The server ended a connection that had been used before, and answered nothing: a new connection may do better. */
export class StaleConnection extends Error {
  override name = 'StaleConnection'
}

/**
 * `check`: finds the addresses that may be connected to; it is called for every connection that is made. `isForOne`: it carries
 * one request, of which the server is told.
 */
export function createConnection(url: URL, check: () => Promise<readonly Address[]>, isForOne = false): Connection {
  let socket: Socket | null = null
  let address: string | null = null
  let maxAnswerBytes = 0
  let bound: (maxAnswerBytes: number) => void = () => {}
  let isDropped = false

  async function connect(options: buildConnector.Options): Promise<Socket> {
    const addresses = await check()
    if (isDropped) throw new OutboundError('broken')
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const making = buildConnector(connectOptions(addresses))
    const made = making(options, (error, connected) => (connected ? resolve(connected) : reject(error)))
    socket = made as unknown as Socket // the types keep silent about what a connector returns
    const connected = await promise
    address = addressOf(connected)
    bound = boundBytes(connected)
    bound(maxAnswerBytes)
    if (isAmong(addresses, address)) return connected
    connected.destroy()
    throw new OutboundError('refused_address')
  }

  const client = new Client(url.origin, {
    ...CLIENT_OPTIONS,
    connect: (options, callback) => {
      connect(options).then(
        (made) => callback(null, made),
        (error) => callback(error, null),
      )
    },
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
  })

  return {
    address: () => address,
    async send(request, signal) {
      maxAnswerBytes = request.maxAnswerBytes
      bound(maxAnswerBytes)
      const before = socket
      const bytesBefore = before?.bytesRead
      try {
        return await exchange(client, url, { ...request, reset: isForOne }, signal)
      } catch (error) {
        const isSilent = before !== null && socket === before && before.bytesRead === bytesBefore
        throw isSilent && hasEnded(error) ? new StaleConnection() : error
      }
    },
    drop() {
      isDropped = true
      void client.destroy()
      socket?.destroy() // one that is still being made, too
    },
  }
}

function hasEnded(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(String(error.code))
}

function addressOf({ remoteAddress }: Socket): string | null {
  return parsePeer(remoteAddress)?.text ?? null
}

/** Whether an address is one of these. */
export function isAmong(addresses: readonly Address[], address: string | null): boolean {
  return addresses.some(({ text }) => text === address)
}
