import type { IncomingHttpHeaders } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { Client } from 'undici'
import { parseAddress } from '../addresses/addresses.ts'
import { createAddressGate } from '../addresses/public-addresses.ts'
import { SECONDS } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { OutboundError, outboundErrorOf } from './outbound-error.ts'
import { hostOf, knownAddresses, problemOfForm } from './outbound-url.ts'
import { type Resolve, resolveByDns } from './resolve.ts'

/** Requests to servers that somebody else has named. */
export interface Outbound {
  /**
   * Sends one request over a connection of its own and gives the answer, whatever its status; redirects are answers.
   * The host's addresses are looked up and checked first, and the connection is made to one of those that were: a name
   * that leads elsewhere a moment later leads nowhere new. No proxy, no cookies, nothing unpacked.
   * @throws OutboundError when no answer is had
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>
}

export interface OutboundRequest {
  url: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** For all of it, looking up the name and reading the answer included. */
  timeoutMs: number
  /** How much of the answer's body is read; the rest is thrown away. */
  maxAnswerBytes: number
}

export interface OutboundAnswer {
  status: number
  /** By their names in lower case. */
  headers: IncomingHttpHeaders
  /** At most `maxAnswerBytes` of it, as it was sent: not unpacked. */
  body: Buffer
  durationMs: number
}

const CONNECT_MS = 10 * SECONDS
const MAX_HEAD_BYTES = 16 * 1024

/** `resolve`: how names are looked up; for tests. */
export function createOutbound(
  config: Pick<Config, 'env' | 'outboundAllow'>,
  resolve: Resolve = resolveByDns,
): Outbound {
  const mayReach = createAddressGate(config.outboundAllow)

  /** Those addresses of the host that may be connected to. */
  async function reachable(url: URL, signal: AbortSignal): Promise<string[]> {
    const host = hostOf(url)
    const addresses = knownAddresses(host) ?? (await unlessAborted(resolve(host, signal), signal))
    const found = addresses.filter(mayReach)
    if (found.length > 0) return found
    throw new OutboundError(addresses.length > 0 ? 'refused_address' : 'unresolvable')
  }

  return {
    async send(request) {
      const startedAt = performance.now()
      if (problemOfForm(request.url, config.env)) throw new OutboundError('invalid_url')
      const url = new URL(request.url)
      const time = new AbortController()
      const timer = setTimeout(() => time.abort(), request.timeoutMs)
      let client: Client | undefined
      try {
        client = connectTo(url, await reachable(url, time.signal), request.timeoutMs)
        const answer = await exchange(client, url, request, time.signal)
        return { ...answer, durationMs: Math.round(performance.now() - startedAt) }
      } catch (error) {
        throw time.signal.aborted ? new OutboundError('timed_out') : outboundErrorOf(error)
      } finally {
        clearTimeout(timer)
        void client?.destroy()
      }
    },
  }
}

/** A client whose connections lead to these addresses only. It serves one request, so that no connection outlives its check. */
function connectTo(url: URL, addresses: readonly string[], timeoutMs: number): Client {
  return new Client(url.origin, {
    connect: {
      lookup: lookupOf(addresses),
      timeout: Math.min(CONNECT_MS, timeoutMs),
      rejectUnauthorized: true, // whatever the environment says
      autoSelectFamily: true,
    },
    allowH2: false,
    useMilo: false,
    maxCachedSessions: 0,
    maxHeaderSize: MAX_HEAD_BYTES,
    // The time for all of it is the only one that counts.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** Answers every question with the addresses that were checked. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.flatMap((text) => {
    const address = parseAddress(text)
    return address ? [{ address: address.text, family: address.version }] : []
  })
  return (_host, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, all)
    else callback(null, all[0]?.address ?? '', all[0]?.family)
  }
}

async function exchange(client: Client, url: URL, request: OutboundRequest, signal: AbortSignal) {
  const { statusCode, headers, body } = await client.request({
    path: url.pathname + url.search,
    method: request.method,
    headers: { 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    reset: true, // the connection is not used again
    signal,
  })
  return { status: statusCode, headers, body: await readUpTo(body, request.maxAnswerBytes) }
}

async function readUpTo(body: Readable, maxBytes: number): Promise<Buffer> {
  body.on('error', () => {}) // cut off below; what fails while it is read is thrown by the loop
  const parts: Buffer[] = []
  let bytes = 0
  if (maxBytes > 0)
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes >= maxBytes) break
    }
  return Buffer.concat(parts).subarray(0, maxBytes)
}

/** The same promise, but not beyond the time given. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  signal.addEventListener('abort', () => reject(new OutboundError('timed_out')), { once: true })
  work.then(resolve, reject)
  return promise
}
