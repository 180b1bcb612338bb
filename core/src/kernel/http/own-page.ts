import type { Config } from '../config/config.ts'
import type { Ctx, Origin } from '../context.ts'
import { originNotAllowed } from '../errors.ts'

/**
 * Throws 403 `origin_not_allowed` unless a page of ours made the browser send this request: one of `PUBLIC_URL` or
 * `CORS_ORIGINS`. Browsers add cookies to requests by themselves, whoever causes them, so what cookies allow is asked
 * for by own pages alone. The kernel asks where a request that changes something brings a cookie that its route
 * declares; a handler asks before it sets one that somebody is known by.
 */
export function requireOwnPage({ config, origin }: Pick<Ctx, 'config' | 'origin'>): void {
  assertOwnPage(config, origin)
}

export function assertOwnPage({ http }: Pick<Config, 'http'>, { page }: Origin): void {
  const { origin = null, fetchSite = null } = page ?? {}
  // Current browsers send one of the two headers; a request without either is not known to come from an own page.
  const isOwn =
    origin === null
      ? fetchSite === 'same-origin'
      : isListed(http, origin) && (fetchSite === null || OF_ONE_SITE.includes(fetchSite))
  if (!isOwn) throw originNotAllowed({ detail: 'This is for pages under PUBLIC_URL or of CORS_ORIGINS' })
}

/** `cross-site` contradicts an own origin, or is an origin that may use tokens but no cookies. */
const OF_ONE_SITE = ['same-origin', 'same-site']

function isListed({ publicUrl, corsOrigins }: Config['http'], origin: string): boolean {
  return origin === new URL(publicUrl).origin || corsOrigins.includes(origin)
}
