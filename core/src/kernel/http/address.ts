import { BlockList, isIP } from 'node:net'

/**
 * Reads a client's address: the socket's, unless that is one of the trusted proxies; then X-Forwarded-For from the
 * right, up to the first address that no trusted proxy has. What stands further left is what the client claims.
 */
export function createAddressReader(trustedProxies: readonly string[]) {
  const trusted = new BlockList()
  for (const cidr of trustedProxies) {
    const [address = '', bits] = cidr.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    trusted.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (socketAddress: string | undefined, forwardedFor: string | string[] | undefined): string | null => {
    const socket = normalAddress(socketAddress ?? '')
    if (!socket) return null
    if (trustedProxies.length === 0 || forwardedFor === undefined || !isTrusted(socket)) return socket
    const chain = [forwardedFor].flat().join(',').split(',').reverse()
    let client = socket
    for (const hop of chain) {
      const address = normalAddress(hop.trim())
      if (!address) return client
      client = address
      if (!isTrusted(address)) return client
    }
    return client
  }
}

/** IPv4 in its IPv6 clothes becomes IPv4; anything that is no address becomes undefined. */
function normalAddress(text: string): string | undefined {
  const address = text.toLowerCase().startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text
  return isIP(address) ? address : undefined
}
