import { BlockList, isIP } from 'node:net'

/**
 * An IP address in the one form that it is compared and kept in: IPv6 in lower case and compressed, IPv4 in its IPv6
 * clothes as IPv4. Undefined for what is no address; one with a zone (`fe80::1%eth0`) means something on one machine only.
 */
export function canonicalAddress(text: string): string | undefined {
  const version = text.includes('%') ? 0 : isIP(text)
  if (version !== 6) return version === 4 ? text : undefined
  const compressed = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(compressed)
  if (!mapped) return compressed
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
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

/** Tells whether an address is in one of the networks (`10.0.0.0/8`; a bare address stands for itself alone). */
export function createNetworks(cidrs: readonly string[]): (address: string) => boolean {
  // A list for each version: in one, `::/0` would hold all of IPv4 too, by its mapped form.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const cidr of cidrs) {
    const { address, bits, version } = parseNetwork(cidr)
    lists[version].addSubnet(address, bits, version)
  }
  return (text) => {
    const address = canonicalAddress(text)
    return address !== undefined && lists[versionOf(address)].check(address, versionOf(address))
  }
}

function parseNetwork(cidr: string): { address: string; bits: number; version: Version } {
  const [address = '', prefix] = cidr.split('/')
  const version = versionOf(address)
  const bits = prefix === undefined ? { ipv4: 32, ipv6: 128 }[version] : Number(prefix)
  const plain = canonicalAddress(address) ?? address
  // `::ffff:10.0.0.0/104` is `10.0.0.0/8` in other clothes.
  if (version === 'ipv6' && versionOf(plain) === 'ipv4' && bits >= 96)
    return { address: plain, bits: bits - 96, version: 'ipv4' }
  return { address, bits, version }
}

type Version = 'ipv4' | 'ipv6'

const versionOf = (address: string): Version => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
