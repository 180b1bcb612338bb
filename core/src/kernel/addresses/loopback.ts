import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for an address or name by which a machine reaches itself and nobody else does; IPv6 with or without brackets. */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '')
  const family = isIP(bare)
  if (family) return loopback.check(bare, family === 6 ? 'ipv6' : 'ipv4')
  return bare === 'localhost' || bare.endsWith('.localhost')
}
