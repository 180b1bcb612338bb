import { inspect } from 'node:util'
import type { FieldProblem } from '../errors.ts'

/** A cookie that an answer sets. The defaults are safe: scripts cannot read it, other sites cannot send it. */
export interface Cookie {
  /** A name as in RFC 6265. The requirements of the prefixes `__Host-` and `__Secure-` are checked. */
  readonly name: string
  /** Any text; it is percent-encoded. Null: deletes the cookie. */
  readonly value: string | null
  /** The paths that it is sent to: this one and those below, as the browser sees them. Default `/`. */
  readonly path?: string
  /** Seconds that it lives. Default: until the browser is closed. */
  readonly maxAgeSeconds?: number
  /** Default true: scripts cannot read it. */
  readonly httpOnly?: boolean
  /** Whether requests caused by other sites include it. Default `lax`: only when a person follows a link. */
  readonly sameSite?: 'strict' | 'lax' | 'none'
  /** Sent over https alone. Default: whether `PUBLIC_URL` is https. */
  readonly secure?: boolean
}

/** RFC 6265: a token of RFC 9110. */
export const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/
/** The maximum that browsers store, including the name. */
const MAX_BYTES = 4096
const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const

/** The `Set-Cookie` header of a cookie. Throws for what browsers would silently reject. */
export function writeCookie(cookie: Cookie, isSecureHere: boolean): string {
  const { name, value, path = '/', maxAgeSeconds, httpOnly = true, sameSite = 'lax', secure = isSecureHere } = cookie
  const pair = `${name}=${value === null ? '' : encodeURIComponent(value)}`
  const refuse = (why: string) => new Error(`The cookie ${inspect(name)} cannot be set: ${why}`)
  if (!COOKIE_NAME.test(name)) throw refuse('its name is not one')
  if (pair.length > MAX_BYTES) throw refuse(`it has more than ${MAX_BYTES} bytes`)
  if (!/^\/[^;\s\p{Cc}]*$/u.test(path)) throw refuse('its path is not one')
  if (maxAgeSeconds !== undefined && (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0))
    throw refuse('its life is no whole number of seconds')
  if (/^__(?:Host|Secure)-/i.test(name) && !secure) throw refuse('its name asks for https')
  if (/^__Host-/i.test(name) && path !== '/') throw refuse('its name asks for the path /')
  if (sameSite === 'none' && !secure) throw refuse('other sites send it over https alone')
  const life = value === null ? 0 : maxAgeSeconds
  return [
    pair,
    `Path=${path}`,
    ...(life === undefined ? [] : [`Max-Age=${life}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(secure ? ['Secure'] : []),
    `SameSite=${SAME_SITE[sameSite]}`,
  ].join('; ')
}

/** The cookies of these names in a `Cookie` header, percent-decoded, and what is wrong with them. */
export function readCookies(
  header: string | undefined,
  names: ReadonlySet<string>,
): { cookies: Record<string, string>; problems: FieldProblem[] } {
  const cookies: Record<string, string> = Object.create(null)
  const problems: FieldProblem[] = []
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    if (at < 0 || !names.has(name)) continue
    const problem = (detail: string) => problems.push({ pointer: `cookies/${name}`, detail })
    // It is unknown which one is meant: a neighbouring host may have set the other.
    if (Object.hasOwn(cookies, name)) problem('was sent more than once')
    const value = decode(pair.slice(at + 1).trim())
    if (value === null) problem('is not percent-encoded as it should be')
    cookies[name] = value ?? ''
  }
  return { cookies, problems }
}

function decode(written: string): string | null {
  try {
    return decodeURIComponent(/^"(.*)"$/.exec(written)?.[1] ?? written)
  } catch {
    return null
  }
}
