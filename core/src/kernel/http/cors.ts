import type { IncomingMessage } from 'node:http'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { takesKeys } from './identify.ts'
import type { MethodTable } from './methods.ts'
import { isForPages } from './reach.ts'

/** How long a browser may remember what a preflight was told; Chromium remembers nothing for longer. */
const MAX_AGE_SECONDS = 2 * 60 * 60
/** Headers that any operation may be sent, beside those that a route declares and those that need no asking. */
const ALLOWED = ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-Store-ID', 'X-Request-ID']
/** What a page may read of an answer, beside what it may always. */
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
].join(', ')
const VARIES_OF_PREFLIGHT = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

type Headers = Record<string, string>

/** What pages of other origins may do here (CORS); everything else stays closed to them. */
export interface Cors {
  /**
   * What an answer carries: of the route, or where no route answers of what else stands at the address. With credentials
   * where the route reads or sets cookies; nothing where it is for no page.
   */
  headersFor(
    request: Pick<IncomingMessage, 'headers' | 'url'>,
    route?: Pick<RegisteredRoute, 'reach' | 'cookies'>,
  ): Headers
  /** The answer to a preflight about a path that is there; null where the request is none, or comes from elsewhere. */
  preflight(request: Pick<IncomingMessage, 'headers' | 'method' | 'url'>): Headers | null
}

/** Undefined when no other origin may do anything: then no answer says a word about origins. */
export function createCors(registry: Registry, methods: MethodTable, origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined
  const known = new Set(origins)
  const allowed = takesKeys(registry) ? [...ALLOWED, 'X-API-Key'] : ALLOWED
  const isKnown = (origin: string | undefined): origin is string => origin !== undefined && known.has(origin)
  // What has not come so far as to have an address has none of ours.
  const routesOf = (url = '') => methods.routesAt(url)

  return {
    headersFor({ headers: { origin }, url }, route): Headers {
      if (!(route ? [route] : routesOf(url)).every(({ reach }) => isForPages(reach))) return {}
      // A cache must not give one origin what another was answered, nor what was answered to none.
      if (!isKnown(origin)) return { vary: 'Origin' }
      return {
        vary: 'Origin',
        ...permission(origin, route?.cookies !== undefined),
        'access-control-expose-headers': EXPOSED,
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

function permission(origin: string, credentials: boolean): Headers {
  return {
    'access-control-allow-origin': origin,
    ...(credentials ? { 'access-control-allow-credentials': 'true' } : {}),
  }
}

/** `Vary` with these added to what is there. */
export function mergeVary(...given: unknown[]): string {
  const names = given.flatMap((each) => String(each ?? '').split(',')).map((name) => name.trim())
  const unique = new Map(names.filter((name) => name !== '').map((name) => [name.toLowerCase(), name]))
  return [...unique.values()].join(', ')
}
