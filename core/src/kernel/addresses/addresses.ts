import { isIP } from 'node:net'

/** An IP address that was read. IPv4 in its IPv6 clothes (`::ffff:203.0.113.9`) is IPv4. */
export interface Address {
  readonly version: 4 | 6
  readonly value: bigint
  /** The one form that it is compared and kept in: IPv6 in lower case and compressed. */
  readonly text: string
  /** It came in its IPv6 clothes. */
  readonly isMapped: boolean
}

/** What stands above an IPv4 address in its IPv6 clothes. */
const MAPPED = 0xffffn

/** Undefined for what is no address, alone and whole; one with a zone (`fe80::1%eth0`) means something on one machine only. */
export function parseAddress(text: string): Address | undefined {
  const version = text.includes('%') ? 0 : isIP(text)
  if (version === 4) return { version, value: valueOfV4(text), text, isMapped: false }
  if (version !== 6) return undefined
  const compressed = compress(text)
  const value = valueOfV6(compressed)
  if (value >> 32n !== MAPPED) return { version, value, text: compressed, isMapped: false }
  const inside = value & 0xffff_ffffn
  return { version: 4, value: inside, text: textOf(4, inside), isMapped: true }
}

/** The one form of an address; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  return parseAddress(text)?.text
}

/** The address at the other end of a socket. Of a neighbour on the link the system says through which interface it came. */
export function parsePeer(text: string | undefined): Address | undefined {
  return parseAddress((text ?? '').replace(/%.*$/, ''))
}

/** How an address is written. */
export function textOf(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? []
  return compress(groups.join(':'))
}

/** An address in its IPv6 clothes, as the number that stands there. */
export function mappedValue(value: bigint): bigint {
  return (MAPPED << 32n) | value
}

const FORMS =
  /^(?:\[(?<bracketed>[^\]]+)\](?::(?<port>\d{1,5}))?|(?<v4>[\d.]+)(?::(?<port4>\d{1,5}))?|(?<bare>[\da-f:.]+))$/i

/**
 * The address in what proxies and people write: alone, in brackets, with a port behind it, in double quotes
 * (`203.0.113.9:5555`, `[2001:db8::1]:443`, `"[2001:db8::1]"`). Undefined for anything else.
 */
export function readAddress(text: string): string | undefined {
  const bare = /^"([^"]*)"$/.exec(text)?.[1] ?? text
  const { bracketed, v4, bare: plain, port, port4 } = FORMS.exec(bare)?.groups ?? {}
  if (Number(port ?? port4 ?? 0) > 65_535 || (bracketed !== undefined && !bracketed.includes(':'))) return undefined
  return canonicalAddress(bracketed ?? v4 ?? plain ?? '')
}

/** The URL parser writes every spelling of IPv6 in one way, dotted endings as groups. */
function compress(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

function valueOfV4(text: string): bigint {
  return BigInt(text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0))
}

function valueOfV6(compressed: string): bigint {
  const [head = [], tail = []] = compressed.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`)
}
