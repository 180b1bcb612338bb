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

/** Requests to servers named by users. */
export interface Outbound {
  /**
   * Sends a request over its own connection and returns the answer with any status; redirects are not followed. The
   * host's addresses are resolved and checked first, and the connection goes to one of these, so a name that resolves
   * differently a moment later has no effect. No proxy, no cookies, no decompression. @throws OutboundError without an
   * answer
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>
}

export interface OutboundRequest {
  url: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** For the whole request, including name resolution and reading the answer. */
  timeoutMs: number
  /** Maximum bytes of the body that are read; the rest is discarded. */
  maxAnswerBytes: number
}

export interface OutboundAnswer {
  status: number
  /** Names are in lower case. */
  headers: IncomingHttpHeaders
  /** Up to `maxAnswerBytes`, not decompressed. */
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

  /** The addresses of the host that may be connected to. */
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

/** A client that connects to these addresses only. It serves one request, so that no connection outlives the check. */
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
    // Only the total time counts.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** A look-up that returns the checked addresses. */
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

/** The same promise, rejected when the signal is aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  signal.addEventListener('abort', () => reject(new OutboundError('timed_out')), { once: true })
  work.then(resolve, reject)
  return promise
}
