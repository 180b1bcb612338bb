import { parsePeer, readAddress } from '../addresses/addresses.ts'
import { createNetworks } from '../addresses/networks.ts'

/**
 * Reads the client's address: that of the socket unless it is a trusted proxy; then X-Forwarded-For from the right up
 * to the first address that is no trusted proxy. Entries further left are claims of the client. An invalid entry ends
 * the search: the last trusted proxy is then the client.
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
