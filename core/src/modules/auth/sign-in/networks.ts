import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network that an address belongs to, as text to compare by: `192.0.2.0/24`, `2001:db8:1::/48`. One person's
 * addresses change within their network, and an IPv6 subscriber has a whole /64 of them. Null for what is no address.
 */
export function networkOf(address: string | null, bits: { v4: number; v6: number }): string | null {
  if (address === null) return null
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (isIPv4(plain)) return `${maskedGroups(plain.split('.').map(Number), 8, bits.v4).join('.')}/${bits.v4}`
  if (!isIPv6(plain)) return null
  const groups = maskedGroups(groupsOf(plain), 16, bits.v6)
  return `${groups.map((group) => group.toString(16)).join(':')}/${bits.v6}`
}

/** The eight groups of an IPv6 address, `::` filled in. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const left = hexGroups(head)
  const right = tail === undefined ? [] : hexGroups(tail)
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function hexGroups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function maskedGroups(groups: number[], width: number, bits: number): number[] {
  return groups.map((group, index) => {
    const kept = Math.min(Math.max(bits - index * width, 0), width)
    return group & ((2 ** kept - 1) << (width - kept))
  })
}
