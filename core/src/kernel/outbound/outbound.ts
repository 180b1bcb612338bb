import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../config/config.ts'
import { createConnection } from './connection.ts'
import { withinTime } from './exchange.ts'
import { createReach, readUrl } from './reach.ts'
import { type Resolve, resolveByDns } from './resolve.ts'
import { type OutboundSession, openSession, RECHECK_MS } from './session.ts'

/** Requests to servers named by users. */
export interface Outbound {
  /**
   * Sends a request over its own connection and returns the answer with any status; redirects are not followed. The
   * host's addresses are resolved and checked first, and the connection goes to one of these, so a name that resolves
   * differently a moment later has no effect. No proxy, no cookies, no decompression. @throws OutboundError without an
   * answer
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>
  /**
   * A session for many requests to one URL, which keeps its connections and uses them again; `close` it in the end.
   * Nothing is sent yet, and a URL that may not be requested fails with the first request.
   */
  connect(url: string, options?: SessionOptions): OutboundSession
}

export interface SessionOptions {
  /** Connections at the same time. Default: 20. */
  readonly connections?: number
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

const CONNECTIONS = 20

/** `resolve`: how names are looked up, `recheckMs`: how long a session trusts that; for tests. */
export function createOutbound(
  config: Pick<Config, 'env' | 'outboundAllow'>,
  resolve: Resolve = resolveByDns,
  { recheckMs = RECHECK_MS }: { recheckMs?: number } = {},
): Outbound {
  const reach = createReach(config, resolve)
  return {
    send: (request) =>
      withinTime(request.timeoutMs, async (signal) => {
        const url = readUrl(request.url, config)
        const addresses = await reach(url, signal)
        // It serves one request, so that no connection outlives the check.
        const connection = createConnection(url, async () => addresses, true)
        try {
          return await connection.send(request, signal)
        } finally {
          connection.drop()
        }
      }),
    connect: (url, { connections = CONNECTIONS } = {}) =>
      openSession(url, { read: (text) => readUrl(text, config), reach, connections, recheckMs }),
  }
}
