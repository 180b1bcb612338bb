import { type Address, mappedValue, parseAddress, parsePeer, textOf } from './addresses.ts'

/** A network of IP addresses, from the first to the last. */
export interface Network {
  readonly version: 4 | 6
  /** The length of its prefix. */
  readonly bits: number
  readonly first: bigint
  readonly last: bigint
}

const FORM = /^(?:\[(?<bracketed>[^\]]*:[^\]]*)\]|(?<plain>[^/]+))(?:\/(?<prefix>0|[1-9]\d{0,2}))?$/

/**
 * A network in CIDR notation (`10.0.0.0/8`, `[fd00::]/8`; a bare address stands for itself alone; what stands behind the
 * prefix does not count). Undefined for anything else.
 */
export function parseNetwork(text: string): Network | undefined {
  const { bracketed, plain = '', prefix } = FORM.exec(text)?.groups ?? {}
  const address = parseAddress(bracketed ?? plain)
  if (!address) return undefined
  const { version, value, isMapped } = address
  const written = isMapped ? 6 : version
  const bits = prefix === undefined ? WIDTH[written] : Number(prefix)
  if (bits > WIDTH[written]) return undefined
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8` in other clothes; a shorter prefix lets more in than IPv4.
  if (!isMapped) return networkAround(version, value, bits)
  return bits >= 96 ? networkAround(4, value, bits - 96) : networkAround(6, mappedValue(value), bits)
}

const WIDTH = { 4: 32, 6: 128 } as const // the numbers are the type

/** The same for many. Throws for what is no network. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    const network = parseNetwork(text)
    if (!network) throw new Error(`This is no network: ${text}`)
    return network
  })
}

/** The one form of a network (`10.0.0.0/8`); undefined for what is none. */
export function canonicalNetwork(text: string): string | undefined {
  const network = parseNetwork(text)
  return network && networkText(network)
}

/** Whether an address is in one of the networks; those of one version hold nothing of the other. */
export function isWithin(networks: readonly Network[], { version, value }: Address): boolean {
  return networks.some((each) => each.version === version && each.first <= value && value <= each.last)
}

/** Tells whether an address, as text, is in one of the networks. What is no address is in none. */
export function createNetworks(cidrs: readonly string[]): (address: string) => boolean {
  const networks = parseNetworks(cidrs)
  return (text) => {
    const address = parseAddress(text)
    return address !== undefined && isWithin(networks, address)
  }
}

/**
 * The network that an address belongs to, as text to compare by: `192.0.2.0/24`, `2001:db8:1::/48`. One person's
 * addresses change within their network, and an IPv6 subscriber has a whole /64 of them. Null for what is no address.
 */
export function networkOf(text: string | null, bits: { v4: number; v6: number }): string | null {
  const address = parsePeer(text ?? '')
  if (!address) return null
  const { version, value } = address
  return networkText(networkAround(version, value, version === 4 ? bits.v4 : bits.v6))
}

function networkText({ version, first, bits }: Network): string {
  return `${textOf(version, first)}/${bits}`
}

function networkAround(version: 4 | 6, value: bigint, bits: number): Network {
  const rest = (1n << BigInt(WIDTH[version] - bits)) - 1n
  return { version, bits, first: value & ~rest, last: value | rest }
}
