import { parseAddress } from './addresses.ts'
import { isWithin, parseNetworks } from './networks.ts'

const LOOPBACK = parseNetworks(['127.0.0.0/8', '::1'])

/** True for an address by which a machine reaches itself and nobody else does. */
export function isLoopbackAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && isWithin(LOOPBACK, address)
}

/** The same for addresses and names; IPv6 with or without brackets. */
export function isLoopback(hostname: string): boolean {
  const bracketed = /^\[(.*:.*)\]$/.exec(hostname)?.[1]
  return isLoopbackAddress(bracketed ?? hostname) || isLocalhost(hostname)
}

/** True for the names that are this machine whatever a name server says. */
export function isLocalhost(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name)
}
