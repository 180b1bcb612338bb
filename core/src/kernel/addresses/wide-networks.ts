import { mappedValue } from './addresses.ts'
import { parseNetworks } from './networks.ts'

/** More of the public addresses than this (a /6 of IPv4, a /16 of IPv6) is no list of one's own proxies or networks. */
const MOST_V4 = 1n << 26n
const MOST_V6 = 1n << 112n

type Range = [first: bigint, last: bigint]

/** IPv4 also answers to names in IPv6: mapped, and translated by NAT64. */
const V4_IN_V6: Range[] = [[mappedValue(0n), mappedValue(0xffff_ffffn)], ...rangesOf(6, ['64:ff9b::/96'])]

const PRIVATE_V4 = rangesOf(4, [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
])
const PRIVATE_V6 = rangesOf(6, ['fc00::/7', 'fe80::/10'])

/** Whether networks together reach over a good part of the public internet, however they are cut into pieces. */
export function coverTheInternet(cidrs: readonly string[]): boolean {
  const [v4, v6] = [rangesOf(4, cidrs), rangesOf(6, cidrs)]
  for (const [first, last] of V4_IN_V6)
    for (const [begin, end] of overlapsOf(v6, [[first, last]])) v4.push([begin - first, end - first])
  return sizeWithout(v4, PRIVATE_V4) > MOST_V4 || sizeWithout(v6, PRIVATE_V6) > MOST_V6
}

function rangesOf(version: 4 | 6, cidrs: readonly string[]): Range[] {
  return parseNetworks(cidrs).flatMap((each): Range[] => (each.version === version ? [[each.first, each.last]] : []))
}

/** How many addresses the ranges have together, those in `leftOut` not counted. */
function sizeWithout(ranges: Range[], leftOut: Range[]): bigint {
  const size = (all: Range[]) => union(all).reduce((sum, [first, last]) => sum + last - first + 1n, 0n)
  return size(ranges) - size(overlapsOf(union(ranges), leftOut))
}

function overlapsOf(ranges: Range[], others: Range[]): Range[] {
  return ranges.flatMap(([from, to]) =>
    others.flatMap(([first, last]): Range[] => {
      const [begin, end] = [from > first ? from : first, to < last ? to : last]
      return begin <= end ? [[begin, end]] : []
    }),
  )
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
