import { domainToUnicode } from 'node:url'
import { parsePeer } from '../addresses/addresses.ts'
import { canonicalNetwork } from '../addresses/networks.ts'
import { readClamdUrl } from '../scanning/clamd-address.ts'

/**
 * How the text of a setting is understood. `parse` throws `InvalidSetting`, whose message completes the sentence
 * "PORT …" and never repeats the text itself, since the text may be a secret.
 */
export interface Kind<T> {
  /** What is accepted, for the documentation. */
  readonly accepts: string
  parse(text: string): T
}

/** The text of a setting is not of its kind. */
export class InvalidSetting extends Error {
  override name = 'InvalidSetting'
}

/** Any text without control characters. */
export function text(accepts = 'text', maxLength = 4096): Kind<string> {
  return kind(accepts, (value) => {
    if (value.length > maxLength) throw new InvalidSetting(`must have at most ${maxLength} characters`)
    if (/\p{Cc}/u.test(value)) throw new InvalidSetting('must not contain control characters')
    return value
  })
}

/** One of the given words. */
export function oneOf<const T extends string>(...words: T[]): Kind<T> {
  const listed = words.join(', ')
  return kind(words.map((word) => `\`${word}\``).join(', '), (value) => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw new InvalidSetting(`must be one of ${listed}`)
    return found
  })
}

/** Whether mails are sent. Shells use a variable of the same name for the path of a local mailbox, which is ignored. */
export function mailSwitch(): Kind<'on' | 'off'> {
  const word = oneOf('on', 'off')
  return kind(word.accepts, (value) => (value.startsWith('/') ? 'on' : word.parse(value)))
}

/** A bucket, named as S3 allows. */
export function bucketName(): Kind<string> {
  return kind('name of a bucket: 3 to 63 of `a-z 0-9 . -`', (value) => {
    if (/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(value) && !value.includes('..')) return value
    throw new InvalidSetting('must be the name of a bucket: 3 to 63 of a-z, 0-9, "." and "-"')
  })
}

/** A region, as a part of a signature: letters, digits and hyphens. */
export function region(): Kind<string> {
  return kind('letters, digits and hyphens', (value) => {
    if (/^[a-z\d][a-z\d-]{0,62}$/i.test(value)) return value
    throw new InvalidSetting('must be a region such as eu-central-1: letters, digits and hyphens')
  })
}

/** Yes or no. */
export function flag(): Kind<boolean> {
  const word = oneOf('true', 'false')
  return kind(word.accepts, (value) => word.parse(value) === 'true')
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): Kind<number> {
  return kind(`whole number, ${min} to ${max}`, (value) => {
    const number = Number(value)
    if (!/^\d{1,15}$/.test(value) || number < min || number > max) {
      throw new InvalidSetting(`must be a whole number from ${min} to ${max}`)
    }
    return number
  })
}

/** A number within bounds, both included; a decimal point is allowed. */
export function decimal(min: number, max: number): Kind<number> {
  return kind(`number, ${min} to ${max}`, (value) => {
    const number = Number(value)
    if (!/^\d{1,12}(\.\d{1,12})?$/.test(value) || number < min || number > max) {
      throw new InvalidSetting(`must be a number from ${min} to ${max}`)
    }
    return number
  })
}

const SECONDS_IN = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A length of time in seconds, written bare (`600`) or with a unit (`10m`, `48h`, `30d`). */
export function duration(min: string, max: string): Kind<number> {
  return kind(`seconds, or a number with \`s\`, \`m\`, \`h\` or \`d\`; ${min} to ${max}`, (value) => {
    const seconds = secondsOf(value)
    if (seconds === undefined || seconds < bound(secondsOf(min)) || seconds > bound(secondsOf(max))) {
      throw new InvalidSetting(`must be a length of time from ${min} to ${max}: seconds (600), or 10m, 48h, 30d`)
    }
    return seconds
  })
}

function secondsOf(value: string): number | undefined {
  const match = /^(\d{1,12})([smhd]?)$/.exec(value)
  if (!match) return undefined
  // The expression lets no other unit through.
  return Number(match[1]) * SECONDS_IN[(match[2] || 's') as keyof typeof SECONDS_IN]
}

function bound(value: number | undefined): number {
  if (value === undefined) throw new Error('a bound of a setting is not written as the setting itself would be')
  return value
}

const BYTES_IN: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }

/** A size in bytes, written bare or with a unit (`50MiB`); bounds included. */
export function bytes(min: number, max: number): Kind<number> {
  return kind(`bytes, or a number with \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`; ${min} to ${max}`, (value) => {
    const [, number = '', unit = ''] = /^(\d{1,15})(|KiB|MiB|GiB|TiB)$/.exec(value) ?? []
    const size = number === '' ? Number.NaN : Number(number) * (BYTES_IN[unit] ?? Number.NaN)
    if (!(size >= min && size <= max))
      throw new InvalidSetting(`must be a size from ${min} to ${max} bytes: bytes (52428800), or 50MiB, 2GiB`)
    return size
  })
}

/** A URL of one of the given schemes, kept as written. */
export function url(...schemes: string[]): Kind<string> {
  const listed = schemes.map((scheme) => `${scheme}://`).join(' or ')
  return kind(`URL, ${schemes.map((scheme) => `\`${scheme}://\``).join(', ')}`, (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    if (!parsed || !schemes.includes(parsed.protocol.slice(0, -1)) || !value.includes('://')) {
      throw new InvalidSetting(`must be a URL that begins with ${listed}`)
    }
    // A PostgreSQL URL may leave the host out and name a socket's folder in its query.
    if (!parsed.hostname && !parsed.protocol.startsWith('postgres')) throw new InvalidSetting('must name a host')
    return value
  })
}

/** Where Redis is; a path is the number of a database. */
export function redisUrl(): Kind<string> {
  const known = url('redis', 'rediss')
  return kind(known.accepts, (value) => {
    if (!/^\/?\d*$/.test(new URL(known.parse(value)).pathname))
      throw new InvalidSetting('must have the number of a database as its path, such as redis://host:6379/0, or none')
    return value
  })
}

/** Where clamd listens; kept as written. */
export function clamdUrl(): Kind<string> {
  return kind('`tcp://host:3310` or `unix:///path`', (value) => {
    if (readClamdUrl(value)) return value
    throw new InvalidSetting(
      'must be tcp://host:3310, or unix:// and the whole path of a socket, as in unix:///run/clamav/clamd.ctl',
    )
  })
}

/** An http(s) address that paths are appended to: no credentials, query or fragment; a trailing slash is dropped. */
export function baseUrl(): Kind<string> {
  return kind('URL, `http://`, `https://`', (value) => {
    const parsed = new URL(url('http', 'https').parse(value))
    if (parsed.username || parsed.password) throw new InvalidSetting('must not contain a user name or password')
    if (parsed.search || parsed.hash) throw new InvalidSetting('must not contain a query or a fragment')
    if (parsed.pathname.includes(';'))
      throw new InvalidSetting('must not contain a semicolon: no path of a cookie has one')
    return parsed.href.replace(/\/+$/, '')
  })
}

/** Web origins, each as a browser writes it in `Origin`; none twice. */
export function origins(): Kind<readonly string[]> {
  return kind('origins, `https://host` or `https://host:port`, comma-separated', (value) => [
    ...new Set(splitList(value).map(parseOrigin)),
  ])
}

function parseOrigin(item: string): string {
  if (item === '*' || item === 'null')
    throw new InvalidSetting('must name each origin: neither * nor null, which would let in everybody')
  const parsed = URL.canParse(item) ? new URL(item) : undefined
  if (
    !parsed ||
    !['http:', 'https:'].includes(parsed.protocol) ||
    !/^https?:\/\/[^/]/i.test(item) ||
    item.includes('*')
  )
    throw new InvalidSetting('must list origins such as https://app.example.com, separated by commas')
  // Except for capitals, an origin ends with the port: no path, not even a slash.
  if (parsed.username || parsed.password || parsed.search || parsed.hash || /^https?:\/\/[^/]*[/\\]/i.test(item))
    throw new InvalidSetting(
      'must list origins alone, such as https://app.example.com: no path, not even a slash at the end',
    )
  if (!isWrittenAs(item, parsed))
    throw new InvalidSetting('must write each origin as browsers do: no escapes, no addresses in short')
  return parsed.origin
}

/** Whether the address was written in full: only capitals, the default port and letters beyond ASCII may differ. */
function isWrittenAs(item: string, { protocol, hostname, port, origin }: URL): boolean {
  const usual = protocol === 'https:' ? ':443' : ':80'
  const written = item.toLowerCase().normalize('NFC')
  const bare = port === '' && written.endsWith(usual) ? written.slice(0, -usual.length) : written
  return bare === origin || bare === `${protocol}//${domainToUnicode(hostname)}${port && `:${port}`}`
}

/** Where links to a page lead: a path under the public address, or a whole http(s) URL; `{token}` marks the token's place. */
export function pageAddress(): Kind<string> {
  return kind('path that begins with `/`, or URL, `http://`, `https://`; `{token}` where the token goes', (value) => {
    const isPath = value.startsWith('/') && !value.startsWith('//')
    if (/[\s\p{Cc}]/u.test(value)) throw new InvalidSetting('must not contain spaces or control characters')
    const parsed = new URL(isPath ? `http://localhost${value}` : url('http', 'https').parse(value))
    if (parsed.username || parsed.password) throw new InvalidSetting('must not contain a user name or password')
    if (value.includes('#') && !value.includes('{token}'))
      throw new InvalidSetting('must say by {token} where the token goes, since it has a fragment')
    return value
  })
}

/** An IP address or a host name to listen on. */
export function host(): Kind<string> {
  return kind('IP address or host name', (value) => {
    if (parsePeer(value) || /^[a-z\d]([a-z\d.-]{0,251}[a-z\d])?$/i.test(value)) return value
    throw new InvalidSetting('must be an IP address or a host name, without a port')
  })
}

/** Networks in CIDR notation; a bare address stands for itself alone. */
export function cidrs(): Kind<readonly string[]> {
  return kind('CIDRs (IPv4 or IPv6), comma-separated', (value) => splitList(value).map(parseCidr))
}

function parseCidr(item: string): string {
  const network = canonicalNetwork(item)
  if (network) return network
  throw new InvalidSetting('must list networks such as 10.0.0.0/8 or fd00::/8, separated by commas')
}

/** A sender: `address` alone or `Name <address>`. */
export interface MailAddress {
  readonly name: string
  readonly address: string
}

/** A mail address with an optional name before it. */
export function mailAddress(): Kind<MailAddress> {
  return kind('`name@example.com` or `Name <name@example.com>`', (value) => {
    const match = /^(?:"?([^"<>\p{Cc}]{0,100}?)"?\s*<([^<>]+)>|([^<>]+))$/u.exec(value)
    const address = (match?.[2] ?? match?.[3] ?? '').trim()
    if (!/^[^\s@",;:<>\p{Cc}]{1,64}@[a-z\d]([a-z\d.-]{0,251}[a-z\d])?$/iu.test(address)) {
      throw new InvalidSetting('must be a mail address such as no-reply@example.com or Example <no-reply@example.com>')
    }
    return { name: (match?.[1] ?? '').trim(), address }
  })
}

/** A secret: no spaces and no commas, so that it can also stand in a comma-separated list. */
export function secret(): Kind<string> {
  return kind('text without spaces or commas', parseSecret)
}

/** A secret that signs, in the form of Standard Webhooks. */
export function signingSecret(): Kind<string> {
  return kind('`whsec_` and 24 to 64 random bytes in base64', (value) => {
    const [, key = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(value) ?? []
    const bytes = Buffer.from(key, 'base64')
    if (bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === key) return value
    throw new InvalidSetting(
      'must be whsec_ and 24 to 64 random bytes in base64, as `openssl rand -base64 32` gives them',
    )
  })
}

/** Several secrets, the newest first. */
export function secrets(): Kind<readonly string[]> {
  return kind('text without spaces, several separated by commas', (value) => splitList(value).map(parseSecret))
}

function parseSecret(value: string): string {
  if (/[\s,\p{Cc}]/u.test(value)) throw new InvalidSetting('must not contain spaces, commas or control characters')
  if (value.length > 1024) throw new InvalidSetting('must have at most 1024 characters')
  return value
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function kind<T>(accepts: string, parse: (text: string) => T): Kind<T> {
  return { accepts, parse }
}
