import { parsePeer, readAddress } from '../addresses/addresses.ts'
import { createNetworks } from '../addresses/networks.ts'

/**
 * Reads a client's address: the socket's, unless that is one of the trusted proxies; then X-Forwarded-For from the
 * right, up to the first address that no trusted proxy has. What stands further left is what the client claims, and so
 * is everything left of an entry that is no address: whoever was trusted last is then the client.
 */
export function createAddressReader(trustedProxies: readonly string[]) {
  const isTrusted = createNetworks(trustedProxies)

  return (socketAddress: string | undefined, forwardedFor: string | string[] | undefined): string | null => {
    const socket = parsePeer(socketAddress)?.text
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
