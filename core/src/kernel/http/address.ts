import { canonicalAddress, createNetworks, readAddress } from '../addresses/addresses.ts'

/**
 * Reads a client's address: the socket's, unless that is one of the trusted proxies; then X-Forwarded-For from the
 * right, up to the first address that no trusted proxy has. What stands further left is what the client claims, and so
 * is everything left of an entry that is no address: whoever was trusted last is then the client.
 */
export function createAddressReader(trustedProxies: readonly string[]) {
  const isTrusted = createNetworks(trustedProxies)

  return (socketAddress: string | undefined, forwardedFor: string | string[] | undefined): string | null => {
    // Of a neighbour on the link the system says through which interface it came: no part of the address.
    const socket = canonicalAddress((socketAddress ?? '').replace(/%.*$/, ''))
    if (!socket) return null
    if (forwardedFor === undefined || !isTrusted(socket)) return socket
    let client = socket
    for (const hop of [forwardedFor].flat().join(',').split(',').reverse()) {
      const address = readAddress(hop.trim())
      if (!address) return client
      client = address
      if (!isTrusted(address)) return client
    }
    return client
  }
}
