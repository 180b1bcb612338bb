import { parsePeer, readAddress } from '../addresses/addresses.ts'
import { createNetworks } from '../addresses/networks.ts'

const PEERS_KEPT = 1_000

/**
 * Reads the client's address: that of the socket unless it is a trusted proxy; then X-Forwarded-For from the right up
 * to the first address that is no trusted proxy. Entries further left are claims of the client. An invalid entry ends
 * the search: the last trusted proxy is then the client.
 */
export function createAddressReader(trustedProxies: readonly string[]) {
  const isTrusted = createNetworks(trustedProxies)

  const peers = new Map<string, string | null>()
  /** Connections come from few addresses at a time, most of them from one proxy: each is read once. */
  const peerOf = (socketAddress: string): string | null => {
    let peer = peers.get(socketAddress)
    if (peer === undefined) {
      peer = parsePeer(socketAddress)?.text ?? null
      if (peers.size >= PEERS_KEPT) peers.clear()
      peers.set(socketAddress, peer)
    }
    return peer
  }

  return (socketAddress: string | undefined, forwardedFor: string | string[] | undefined): string | null => {
    const socket = peerOf(socketAddress ?? '')
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
