import type { IncomingHttpHeaders } from 'node:http'
import type { LookupFunction, Socket } from 'node:net'
import type { buildConnector, Client, Dispatcher } from 'undici'
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

/** What comes besides the body that is wanted: heads, frames of chunks, a body that is not wanted and under way already. */
const MAX_OTHER_BYTES = 256 * 1024

/**
 * Ends a connection over which far more comes than was asked for, such as interim answers or extensions of chunks without end, of
 * which the parser tells nobody. Returns how to begin to count for a request.
 */
export function boundBytes(socket: Socket): (maxAnswerBytes: number) => void {
  let most = Number.POSITIVE_INFINITY
  // Whoever reads it hears the same event.
  socket.on('readable', () => {
    if (socket.bytesRead > most) socket.destroy(new OutboundError('too_long'))
  })
  return (maxAnswerBytes) => {
    // A byte of a chunk may have five around it.
    most = socket.bytesRead + 6 * maxAnswerBytes + MAX_OTHER_BYTES
  }
}

/** How a connection is made: to these addresses only. */
export function connectOptions(addresses: readonly Address[]): buildConnector.BuildOptions {
  return {
    lookup: lookupOf(addresses),
    timeout: CONNECT_MS,
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

type ExchangeRequest = Omit<OutboundRequest, 'url' | 'timeoutMs'> & { reset: boolean }

/**
 * Sends a request and reads the answer. `reset`: the connection is not used again. Unless all of the answer was read, the caller
 * ends the connection.
 */
export async function exchange(
  client: Client,
  url: URL,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<Exchanged> {
  if (signal.aborted) throw new OutboundError('timed_out')
  const { promise, resolve, reject } = Promise.withResolvers<Exchanged>()
  signal.addEventListener('abort', () => reject(new OutboundError('timed_out')), { once: true })
  const { method, headers, body = null, reset, maxAnswerBytes } = request
  const path = url.pathname + url.search
  const options = { path, method, headers: { 'accept-encoding': 'identity', ...headers }, body, reset }
  // Without the streams that undici's other methods make for each answer, which cost as much as a small one itself.
  client.dispatch(options, readAnswer({ maxAnswerBytes, resolve, reject, signal }))
  return promise
}

interface Reading {
  maxAnswerBytes: number
  resolve(answer: Exchanged): void
  reject(error: unknown): void
  signal: AbortSignal
}

function readAnswer({ maxAnswerBytes: most, resolve, reject, signal }: Reading): Dispatcher.DispatchHandler {
  let answer: Pick<Exchanged, 'status' | 'headers'> | undefined
  let length = Number.NaN
  let bytes = 0
  const parts: Buffer[] = []
  const finish = (isWhole: boolean) => {
    if (!answer) return
    // Copied, so that of a long answer no more than this is kept.
    resolve({ ...answer, body: Buffer.concat(parts, Math.min(bytes, most)), isWhole })
  }
  /** Of what is longer, or may be, nothing more is needed. */
  const isEnough = () => bytes > most || (bytes === most && length !== most)
  const cut = (controller: Dispatcher.DispatchController) => {
    finish(false)
    controller.abort(new OutboundError('broken'))
  }
  return {
    onRequestStart(controller) {
      if (signal.aborted) controller.abort(new OutboundError('timed_out'))
    },
    onResponseStart(controller, status, headers) {
      if (status < 200) return
      answer = { status, headers }
      length = status === 204 || status === 304 ? 0 : Number(headers['content-length'] ?? Number.NaN)
      if (length !== 0 && isEnough()) cut(controller)
    },
    onResponseData(controller, part) {
      parts.push(part)
      bytes += part.length
      if (isEnough()) cut(controller)
    },
    onResponseEnd: () => finish(true),
    onResponseError: (_controller, error) => reject(error),
  }
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
