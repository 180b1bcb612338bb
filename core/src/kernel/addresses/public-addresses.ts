import { type Address, parseAddress } from './addresses.ts'
import { isWithin, parseNetworks } from './networks.ts'

/** IPv4 networks that lead to no public host, after IANA's registry of special addresses. */
const RESERVED_V4 = [
  '0.0.0.0/8', // this network, unspecified
  '10.0.0.0/8', // private
  '100.64.0.0/10', // behind a carrier's NAT
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // the host of a virtual machine in Azure, public in form only
  '169.254.0.0/16', // link-local, where clouds keep their metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]

/**
 * All of IPv6 that is given out to hosts. Outside of it lie loopback, unspecified, unique-local, link-local, site-local,
 * multicast, and what wraps an IPv4 address: mapped, compatible and NAT64 forms.
 */
const GLOBAL_V6 = ['2000::/3']

/** What of that is not given out after all. */
const RESERVED_V6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which wraps an IPv4 address
  '3fff::/20', // documentation
]

const reserved = parseNetworks([...RESERVED_V4, ...RESERVED_V6])
const global = parseNetworks(GLOBAL_V6)

/** True for the address of a host on the public internet; false for any other, and for what is no address. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && isPublic(address)
}

function isPublic(address: Address): boolean {
  // In its IPv6 clothes no IPv4 address is out there.
  if (address.isMapped || isWithin(reserved, address)) return false
  return address.version === 4 || isWithin(global, address)
}

/** Tells which addresses may be connected to: public ones, and those in the networks given (`10.0.0.0/8`). */
export function createAddressGate(allowed: readonly string[]): (address: string) => boolean {
  const exceptions = parseNetworks(allowed)
  return (text) => {
    const address = parseAddress(text)
    return address !== undefined && (isPublic(address) || isWithin(exceptions, address))
  }
}
