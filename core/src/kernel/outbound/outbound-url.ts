import { parseAddress } from '../addresses/addresses.ts'
import { isLocalhost } from '../addresses/loopback.ts'
import { createAddressGate } from '../addresses/public-addresses.ts'
import type { Config } from '../config/config.ts'
import { at } from '../db/errors.ts'
import { type FieldProblem, invalidRequest } from '../errors.ts'

type Settings = Pick<Config, 'env' | 'outboundAllow'>

export const MAX_URL_LENGTH = 2048

/**
 * Throws 400 at `#/url` unless requests may be sent to the URL: https (http too outside of production), no user name or
 * password, no fragment, 2,048 characters at most, and not an address that may not be reached. What a name leads to is
 * looked at when a request is sent.
 */
export function checkOutboundUrl(url: string, settings: Settings): void {
  const problem = problemOfOutboundUrl(url, settings)
  if (problem) throw invalidRequest({ errors: [at('url', problem)] })
}

/** The same as `check` of a route whose body has such a field, so that it is told beside what else is wrong. */
export function checkUrlField({ url }: { readonly url?: unknown }, { config }: { config: Settings }): FieldProblem[] {
  const problem = typeof url === 'string' && url !== '' ? problemOfOutboundUrl(url, config) : null
  return problem === null ? [] : [at('url', problem)]
}

/** Why requests may not be sent to the URL, to follow its name in a sentence; null when they may. */
export function problemOfOutboundUrl(url: string, { env, outboundAllow }: Settings): string | null {
  return problemOfForm(url, env) ?? problemOfHost(new URL(url), outboundAllow)
}

/** What is wrong with the form of a URL, to follow its name in a sentence; null when nothing is. */
export function problemOfForm(text: string, env: Config['env']): string | null {
  if (text.length > MAX_URL_LENGTH) return `must have at most ${MAX_URL_LENGTH} characters`
  // The parser takes some of these out and turns others, so that what is read here would differ from what stands there.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text)) return 'must not contain spaces, control characters or backslashes'
  const schemes = env === 'production' ? ['https:'] : ['https:', 'http:']
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !schemes.includes(url.protocol) || !/^https?:\/\/[^/]/i.test(text))
    return `must be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) return 'must not contain a user name or password'
  return text.includes('#') ? 'must not contain a fragment' : null
}

/** Of a host that needs no name server, what is wrong with it. */
function problemOfHost(url: URL, allowed: readonly string[]): string | null {
  const known = knownAddresses(hostOf(url))
  return !known || known.some(createAddressGate(allowed)) ? null : 'must lead to a public address'
}

/** The name or address that a URL leads to; IPv6 without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Of a host that needs no name server: its addresses. Undefined for other names. */
export function knownAddresses(host: string): string[] | undefined {
  if (parseAddress(host)) return [host]
  return isLocalhost(host) ? ['127.0.0.1', '::1'] : undefined
}

/** A URL as records keep it: its query apart, since many a receiver wants its key there. */
export function recordUrl(text: string): { url: string; query: string | null } {
  const { origin, pathname, search } = new URL(text)
  return { url: origin + pathname, query: search === '' ? null : search }
}
