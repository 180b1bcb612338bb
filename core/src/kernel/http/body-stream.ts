import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AppError, invalidRequest } from '../errors.ts'
import { isStreamed } from './body.ts'

/** The body of a request as it arrives, of any size. */
export interface BodyStream {
  /** How many bytes were announced; null where the client did not say. */
  readonly length: number | null
  readonly contentType: string | null
  /**
   * The bytes, with backpressure. Throws 400 when the client ends early. Who stops reading leaves the rest: the connection
   * stays usable for an answer.
   */
  readonly content: AsyncIterable<Buffer>
}

export function streamOf(raw: IncomingMessage): BodyStream {
  return { length: lengthOf(raw), contentType: raw.headers['content-type'] ?? null, content: read(raw) }
}

/** The announced length of a body in bytes; null where none was. */
export function lengthOf({ headers }: IncomingMessage): number | null {
  const given = headers['content-length']
  return given === undefined ? null : Number(given) // the parser of HTTP lets digits through and nothing else
}

export const endedEarly = (cause?: unknown): AppError => invalidRequest({ detail: 'The body ended early', cause })

async function* read(raw: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // Destroying the request would close the connection before there is an answer.
    yield* raw.iterator({ destroyOnReturn: false })
  } catch (error) {
    throw endedEarly(error)
  }
  if (raw.complete === false) throw endedEarly()
}

/** What of a refused body is read and thrown away, so that a client that sends first and listens then hears the answer. */
const LINGER_BYTES = 4 * 1024 * 1024
const LINGER_MS = 2_000

/** Throws away the rest of a refused body, as far as that is bearable; else the connection is closed after the answer. */
export async function leaveBody({ raw, routeOptions }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { route } = routeOptions.config
  if (route && isStreamed(route) && !(await discardRest(raw))) reply.header('connection', 'close')
}

/** False when it was too much. */
async function discardRest(raw: IncomingMessage): Promise<boolean> {
  if (raw.complete || raw.readableEnded) return true
  if (raw.destroyed) return false
  return new Promise((resolve) => {
    let bytes = 0
    const count = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LINGER_BYTES) end(false)
    }
    const end = (isAll: boolean) => {
      clearTimeout(timer)
      raw.off('data', count).off('end', whole).off('close', broken)
      if (!isAll) raw.pause()
      resolve(isAll)
    }
    const whole = () => end(true)
    const broken = () => end(false)
    const timer = setTimeout(broken, LINGER_MS)
    raw.removeAllListeners('data').on('data', count).on('end', whole).on('close', broken).resume()
  })
}

/**
 * Calls `late` when a body takes too long: when it is not whole after so many milliseconds, or, with `isSteady`, when none
 * of it has arrived for so long. Headers have their own time, which the server keeps.
 */
export function watchBody(
  raw: IncomingMessage,
  { ms, isSteady, late }: { ms: number; isSteady: boolean; late: () => void },
): void {
  // Undefined where no server reads it: a test that hands it over has handed over all of it.
  if (raw.complete !== false) return
  let seen = raw.socket.bytesRead
  const timer = setInterval(() => {
    const now = raw.socket.bytesRead
    // Nothing is asked of a client that waits for us: it may have sent all that fits.
    const isHeld = raw.isPaused() && raw.listenerCount('readable') === 0 // whoever reads it by an iterator has it paused all the time
    const moves = isSteady && (now > seen || isHeld || raw.readableLength > 0)
    seen = now
    if (raw.complete || raw.destroyed) clearInterval(timer)
    else if (!moves) {
      clearInterval(timer)
      late()
    }
  }, ms).unref()
  raw.once('close', () => clearInterval(timer)).once('end', () => clearInterval(timer))
}
