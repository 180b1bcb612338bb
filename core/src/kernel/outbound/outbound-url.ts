import { parseAddress } from '../addresses/addresses.ts'
import { isLocalhost } from '../addresses/loopback.ts'
import { createAddressGate } from '../addresses/public-addresses.ts'
import type { Config } from '../config/config.ts'
import { at } from '../db/errors.ts'
import { type FieldProblem, invalidRequest } from '../errors.ts'

type Settings = Pick<Config, 'env' | 'outboundAllow'>

export const MAX_URL_LENGTH = 2048

/**
 * Throws 400 at `#/url` unless requests may be sent to the URL: https (http as well outside of production), no user
 * name or password, no fragment, at most 2,048 characters, and no forbidden address. Host names are resolved and
 * checked when a request is sent.
 */
export function checkOutboundUrl(url: string, settings: Settings): void {
  const problem = problemOfOutboundUrl(url, settings)
  if (problem) throw invalidRequest({ errors: [at('url', problem)] })
}

/** A `check` for routes whose body has such a field, so that its problem is in the same answer as others. */
export function checkUrlField({ url }: { readonly url?: unknown }, { config }: { config: Settings }): FieldProblem[] {
  const problem = typeof url === 'string' && url !== '' ? problemOfOutboundUrl(url, config) : null
  return problem === null ? [] : [at('url', problem)]
}

/** Why requests may not be sent to the URL, as the end of a sentence; null when they may. */
export function problemOfOutboundUrl(url: string, { env, outboundAllow }: Settings): string | null {
  return problemOfForm(url, env) ?? problemOfHost(new URL(url), outboundAllow)
}

/** What is wrong with the form of a URL, as the end of a sentence; null when it is valid. */
export function problemOfForm(text: string, env: Config['env']): string | null {
  if (text.length > MAX_URL_LENGTH) return `must have at most ${MAX_URL_LENGTH} characters`
  // The URL parser removes or replaces these characters, so the parsed URL would differ from the text.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text)) return 'must not contain spaces, control characters or backslashes'
  const schemes = env === 'production' ? ['https:'] : ['https:', 'http:']
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !schemes.includes(url.protocol) || !/^https?:\/\/[^/]/i.test(text))
    return `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) return 'must not contain a user name or password'
  return text.includes('#') ? 'must not contain a fragment' : null
}

/** The problem with a host that needs no name server. */
function problemOfHost(url: URL, allowed: readonly string[]): string | null {
  const known = knownAddresses(hostOf(url))
  return !known || known.some(createAddressGate(allowed)) ? null : 'must lead to a public address'
}

/** The host of a URL; IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** The addresses of a host that needs no name server; undefined for other names. */
export function knownAddresses(host: string): string[] | undefined {
  if (parseAddress(host)) return [host]
  return isLocalhost(host) ? ['127.0.0.1', '::1'] : undefined
}

/** A URL in the form of records, with its query apart, because it may contain a key. */
export function recordUrl(text: string): { url: string; query: string | null } {
  const { origin, pathname, search } = new URL(text)
  return { url: origin + pathname, query: search === '' ? null : search }
}
