import type { IncomingHttpHeaders } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import type { buildConnector, Client } from 'undici'
import type { Address } from '../addresses/addresses.ts'
import { SECONDS } from '../clock.ts'
import type { OutboundAnswer, OutboundRequest } from './outbound.ts'
import { OutboundError, outboundErrorOf } from './outbound-error.ts'

const CONNECT_MS = 10 * SECONDS
const MAX_HEAD_BYTES = 16 * 1024

export const CLIENT_OPTIONS = {
  allowH2: false,
  useMilo: false,
  pipelining: 1,
  maxHeaderSize: MAX_HEAD_BYTES,
  // Only the total time counts.
  headersTimeout: 0,
  bodyTimeout: 0,
} satisfies Client.Options

/** How a connection is made: to these addresses only. */
export function connectOptions(addresses: readonly Address[], timeoutMs = CONNECT_MS): buildConnector.BuildOptions {
  return {
    lookup: lookupOf(addresses),
    timeout: Math.min(CONNECT_MS, timeoutMs),
    rejectUnauthorized: true, // whatever the environment says
    autoSelectFamily: true,
    allowH2: false,
    maxCachedSessions: 0,
  }
}

/** A look-up that returns the checked addresses. */
function lookupOf(addresses: readonly Address[]): LookupFunction {
  const all = addresses.map(({ text, version }) => ({ address: text, family: version }))
  return (_host, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, all)
    else callback(null, all[0]?.address ?? '', all[0]?.family)
  }
}

/** What came back over a connection. */
export interface Exchanged {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Nothing of the answer is left, so that the connection may carry another request. */
  readonly isWhole: boolean
}

/** Sends a request and reads the answer. `reset`: the connection is not used again. */
export async function exchange(
  client: Client,
  url: URL,
  request: Omit<OutboundRequest, 'url' | 'timeoutMs'> & { reset: boolean },
  signal: AbortSignal,
): Promise<Exchanged> {
  const { statusCode, headers, body } = await client.request({
    path: url.pathname + url.search,
    method: request.method,
    headers: { 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    reset: request.reset,
    signal,
  })
  const answer = { status: statusCode, headers }
  const length = statusCode === 204 ? 0 : Number(headers['content-length'] ?? Number.NaN)
  // The parser takes exactly so many bytes; this is the quickest way to read them.
  if (length <= request.maxAnswerBytes) return { ...answer, body: Buffer.from(await body.bytes()), isWhole: true }
  return { ...answer, ...(await readUpTo(body, request.maxAnswerBytes)) }
}

async function readUpTo(body: Readable, maxBytes: number): Promise<Pick<Exchanged, 'body' | 'isWhole'>> {
  body.on('error', () => {}) // cut off below; what fails while it is read is thrown by the loop
  const parts: Buffer[] = []
  let bytes = 0
  if (maxBytes > 0)
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part)
      bytes += part.length
      if (bytes >= maxBytes) break
    }
  return { body: Buffer.concat(parts).subarray(0, maxBytes), isWhole: bytes < maxBytes }
}

/** Bounds work in time and measures it. @throws OutboundError `timed_out`, and for errors of the network */
export async function withinTime(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Exchanged>,
): Promise<OutboundAnswer> {
  const startedAt = performance.now()
  const time = new AbortController()
  const timer = setTimeout(() => time.abort(), timeoutMs)
  try {
    const { status, headers, body } = await work(time.signal)
    return { status, headers, body, durationMs: Math.round(performance.now() - startedAt) }
  } catch (error) {
    throw time.signal.aborted ? new OutboundError('timed_out') : outboundErrorOf(error)
  } finally {
    clearTimeout(timer)
  }
}
