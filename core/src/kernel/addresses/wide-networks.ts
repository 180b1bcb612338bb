import { isIPv6 } from 'node:net'

/** More of the public addresses than this (a /6 of IPv4, a /16 of IPv6) is no list of one's own proxies or networks. */
const MOST_V4 = 1n << 26n
const MOST_V6 = 1n << 112n

type Range = [first: bigint, last: bigint]

/** Whether networks together reach over a good part of the public internet, however they are cut into pieces. */
export function coverTheInternet(cidrs: readonly string[]): boolean {
  const ranges = cidrs.map((cidr) => ({ isV6: cidr.includes(':'), range: rangeOf(cidr) }))
  const v6 = ranges.filter(({ isV6 }) => isV6).map(({ range }) => range)
  const v4 = ranges.filter(({ isV6 }) => !isV6).map(({ range }) => range)
  // IPv4 also answers to names in IPv6: mapped, and translated by NAT64.
  for (const [first, last] of [rangeOf('::ffff:0:0/96'), rangeOf('64:ff9b::/96')])
    for (const [from, to] of v6) {
      const [begin, end] = [from > first ? from : first, to < last ? to : last]
      if (begin <= end) v4.push([begin - first, end - first])
    }
  return sizeWithout(v4, PRIVATE_V4) > MOST_V4 || sizeWithout(v6, PRIVATE_V6) > MOST_V6
}

const PRIVATE_V4 = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
].map(rangeOf)
const PRIVATE_V6 = ['fc00::/7', 'fe80::/10'].map(rangeOf)

/** How many addresses the ranges have together, those in `left out` not counted. */
function sizeWithout(ranges: Range[], leftOut: Range[]): bigint {
  const size = (all: Range[]) => union(all).reduce((sum, [first, last]) => sum + last - first + 1n, 0n)
  const overlaps = union(ranges).flatMap(([from, to]) =>
    leftOut.flatMap(([first, last]): Range[] => {
      const [begin, end] = [from > first ? from : first, to < last ? to : last]
      return begin <= end ? [[begin, end]] : []
    }),
  )
  return size(ranges) - size(overlaps)
}

function union(ranges: Range[]): Range[] {
  const joined: Range[] = []
  for (const [first, last] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const before = joined.at(-1)
    if (before && first <= before[1]) before[1] = last > before[1] ? last : before[1]
    else joined.push([first, last])
  }
  return joined
}

/** `cidrs()` has made sure that it is one. */
function rangeOf(cidr: string): Range {
  const [address = '', length = ''] = cidr.split('/')
  const bits = isIPv6(address) ? 128n : 32n
  const host = (1n << (bits - BigInt(length))) - 1n
  const first = numberOf(address) & ~host
  return [first, first | host]
}

function numberOf(address: string): bigint {
  if (!isIPv6(address)) return join(address.split('.').map(Number), 8n)
  // The URL parser writes every spelling of IPv6 in one way, dotted endings as groups.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const [head, tail] = [groups(left), groups(right ?? '')]
  return join([...head, ...Array(8 - head.length - tail.length).fill(0), ...tail], 16n)
}

function join(parts: number[], bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(part), 0n)
}
