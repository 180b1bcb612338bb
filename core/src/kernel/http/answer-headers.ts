import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { RegisteredRoute } from '../registry.ts'
import { mergeVary } from './cors.ts'

/** Headers that every answer has, or that `cookies` and `CORS_ORIGINS` set: a route may not set them. */
const KEPT =
  /^(?:x-request-id|x-frame-options|x-content-type-options|referrer-policy|strict-transport-security|set-cookie|access-control-.+|(?:x-)?ratelimit(?:-.+)?)$/

/** Whether a route may not set this header. */
export const isKeptHeader = (name: string): boolean => KEPT.test(name)

/** The headers of an answer, their names in lower case. Throws for one that a route may not set, or that cannot be sent. */
export function headersOf(
  { method, url, access, cookies }: Pick<RegisteredRoute, 'method' | 'url' | 'access' | 'cookies'>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [written, value] of Object.entries(given)) {
    const name = written.toLowerCase()
    if (isKeptHeader(name)) throw new Error(`${method} ${url} sets the header ${name}, which the kernel keeps`)
    if (Object.hasOwn(headers, name)) throw new Error(`${method} ${url} sets the header ${name} twice`)
    requireSendable(name, value)
    headers[name] = value
  }
  // An answer that depends on cookies must not be cached for other browsers.
  if (access === 'public' && cookies && headers['cache-control'] !== undefined)
    headers.vary = mergeVary(headers.vary, 'Cookie')
  return headers
}

/** Throws before the answer starts: an invalid header would abort it half-way. */
export function requireSendable(name: string, value: string): void {
  validateHeaderName(name)
  validateHeaderValue(name, value)
}
