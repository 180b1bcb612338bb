import type { IncomingMessage } from 'node:http'
import { RATE_HEADERS } from '../rates/headers.ts'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { takesKeys } from './identify.ts'
import type { MethodTable } from './methods.ts'
import { isForPages } from './reach.ts'

/** How long a browser may cache a preflight answer; Chromium's maximum. */
const MAX_AGE_SECONDS = 2 * 60 * 60
/** Headers that requests to any route may have, in addition to declared and CORS-safelisted ones. */
const ALLOWED = ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-None-Match', 'X-Store-ID', 'X-Request-ID']
/** Headers that pages may read, in addition to the CORS-safelisted ones. */
const EXPOSED = [
  'X-Request-ID',
  'Location',
  'Link',
  'Allow',
  'Retry-After',
  'ETag',
  'Idempotent-Replayed',
  'WWW-Authenticate',
  'Content-Disposition',
  ...RATE_HEADERS,
].join(', ')
const VARIES_OF_PREFLIGHT = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

type Headers = Record<string, string>

/** Access for pages of other origins (CORS); everything not listed is closed to them. */
export interface Cors {
  /**
   * The headers of an answer of a route, or without a route of the other routes at the address. With credentials where
   * the route uses cookies; none for routes that are closed to pages.
   */
  headersFor(
    request: Pick<IncomingMessage, 'headers' | 'url'>,
    route?: Pick<RegisteredRoute, 'reach' | 'cookies' | 'exposes' | 'standing'>,
  ): Headers
  /** The answer to a preflight for an existing path; null when the request is no preflight, or from another origin. */
  preflight(request: Pick<IncomingMessage, 'headers' | 'method' | 'url'>): Headers | null
}

/** Undefined when no other origin is allowed; then no answer has CORS headers. */
export function createCors(registry: Registry, methods: MethodTable, origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined
  const known = new Set(origins)
  const allowed = takesKeys(registry) ? [...ALLOWED, 'X-API-Key'] : ALLOWED
  const isKnown = (origin: string | undefined): origin is string => origin !== undefined && known.has(origin)
  // A request without an address has no routes.
  const routesOf = (url = '') => methods.routesAt(url)

  return {
    headersFor({ headers: { origin }, url }, route): Headers {
      if (!(route ? [route] : routesOf(url)).every(({ reach }) => isForPages(reach))) return {}
      // An answer to one origin, or to none, must not be cached for another.
      if (!isKnown(origin)) return { vary: 'Origin' }
      return {
        vary: 'Origin',
        ...permission(origin, route?.cookies !== undefined),
        'access-control-expose-headers': route ? exposedOf(route) : EXPOSED,
      }
    },
    preflight({ method, url = '', headers }) {
      const wanted = headers['access-control-request-method']
      if (method !== 'OPTIONS' || wanted === undefined || !isKnown(headers.origin)) return null
      const routes = routesOf(url)
      const allow = methods.allowed(url)
      if (allow === null || !routes.every(({ reach }) => isForPages(reach))) return null
      const asked = routes.find((route) => route.method === (wanted === 'HEAD' ? 'GET' : wanted))
      const declared = routes.flatMap((route) => Object.keys(route.headers?.properties ?? {}))
      return {
        vary: VARIES_OF_PREFLIGHT,
        ...permission(headers.origin, asked?.cookies !== undefined),
        'access-control-allow-methods': allow,
        'access-control-allow-headers': [...new Set([...allowed, ...declared])].join(', '),
        'access-control-max-age': String(MAX_AGE_SECONDS),
      }
    },
  }
}

function exposedOf({ exposes, standing }: Pick<RegisteredRoute, 'exposes' | 'standing'>): string {
  return [EXPOSED, ...exposes, ...Object.keys(standing)].join(', ')
}

function permission(origin: string, credentials: boolean): Headers {
  return {
    'access-control-allow-origin': origin,
    ...(credentials ? { 'access-control-allow-credentials': 'true' } : {}),
  }
}

/** `Vary` extended by these names. */
export function mergeVary(...given: unknown[]): string {
  const names = given.flatMap((each) => String(each ?? '').split(',')).map((name) => name.trim())
  const unique = new Map(names.filter((name) => name !== '').map((name) => [name.toLowerCase(), name]))
  return [...unique.values()].join(', ')
}
