import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { MINUTES } from '../clock.ts'
import { ofLength, WrongLength } from './stream-length.ts'

/** How long a client may take nothing of what waits for it: systems tell of what was taken a megabyte late. */
const TAKE_MS = 5 * MINUTES

/**
 * Sends a stream with backpressure, and destroys it when the client disconnects or takes nothing for minutes. Of a stream
 * that has another length than its `content-length` says the connection is closed: the next answer on it would be read as
 * the rest of this one. For HEAD an empty stream is sent: for a text Fastify would send its length.
 */
export function sendStream(reply: FastifyReply, stream: Readable): FastifyReply {
  if (reply.request.method === 'HEAD') {
    stream.destroy()
    return reply.send(Readable.from([]))
  }
  const { request, raw } = reply
  const of = { request_id: request.id, route: request.routeOptions.url }
  const stalled = () => {
    request.log.info(of, 'a client takes nothing of its answer: the connection is closed')
    raw.destroy()
  }
  watchAnswer(raw, { ms: TAKE_MS, stalled })
  const length = reply.getHeader('content-length')
  const sent = ofLength(stream, length === undefined ? null : Number(length)).once('error', (err) => {
    if (!(err instanceof WrongLength)) return
    request.log.error({ err, ...of }, 'an answer has another length than it says: the connection is closed')
    raw.destroy()
  })
  return reply.send(sent)
}

/**
 * Calls `stalled` when a client takes nothing of what waits for it for so many milliseconds, or up to twice as many. What has
 * nothing to send just now waits as long as it likes.
 */
export function watchAnswer(raw: ServerResponse, { ms, stalled }: { ms: number; stalled: () => void }): void {
  const taken = () => {
    const { socket } = raw
    // What waits counts as written. A test that calls without a server has no such counts.
    return socket ? socket.bytesWritten - socket.writableLength : 0
  }
  let seen = taken()
  const timer = setInterval(() => {
    const now = taken()
    const isWaiting = (raw.socket?.writableLength ?? 0) > 0
    const moves = now > seen
    seen = now
    if (raw.destroyed || raw.writableFinished) clearInterval(timer)
    else if (isWaiting && !moves) {
      clearInterval(timer)
      stalled()
    }
  }, ms).unref()
  raw.once('close', () => clearInterval(timer)).once('finish', () => clearInterval(timer))
}
