import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../config/config.ts'

const YEAR_SECONDS = 365 * 24 * 60 * 60

/**
 * Headers of all answers: no guessing of content types, no framing, no referrer, no caching. A public route may set its
 * own `cache-control`; a page adds a content-security-policy.
 */
export function standingHeaders({ http }: Config): Readonly<Record<string, string>> {
  return Object.freeze({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    ...(http.publicUrl.startsWith('https:') ? { 'strict-transport-security': `max-age=${YEAR_SECONDS}` } : {}),
  })
}

/**
 * Why the Host of a request is invalid: HTTP/1.1 requires exactly one, and with two a proxy may have used the other.
 * Null when it is valid.
 */
export function problemOfHost(httpVersion: string, rawHeaders: readonly string[]): string | null {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  if (count > 1) return 'Host was sent more than once'
  return count === 0 && httpVersion === '1.1' ? 'Host is missing' : null
}

/** Whether a body is compressed or otherwise encoded, which is not supported. */
export function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding']
  if (encoding === undefined) return false
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
  return hasBody && encoding.split(',').some((word) => !/^\s*(?:identity\s*)?$/i.test(word))
}
