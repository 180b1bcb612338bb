import { type Address, parseAddress } from '../addresses/addresses.ts'
import { createAddressGate } from '../addresses/public-addresses.ts'
import type { Config } from '../config/config.ts'
import { OutboundError } from './outbound-error.ts'
import { hostOf, knownAddresses, problemOfForm } from './outbound-url.ts'
import type { Resolve } from './resolve.ts'

type Settings = Pick<Config, 'env' | 'outboundAllow'>

/** The URL of a request. @throws OutboundError `invalid_url` */
export function readUrl(text: string, { env }: Pick<Settings, 'env'>): URL {
  if (problemOfForm(text, env)) throw new OutboundError('invalid_url')
  return new URL(text)
}

/**
 * Looks up the host of a URL and returns the addresses that may be connected to, at least one. @throws OutboundError
 * when there is none, and when aborted
 */
export type Reach = (url: URL, signal: AbortSignal) => Promise<readonly Address[]>

export function createReach({ outboundAllow }: Pick<Settings, 'outboundAllow'>, resolve: Resolve): Reach {
  const mayReach = createAddressGate(outboundAllow)
  return async (url, signal) => {
    const host = hostOf(url)
    const addresses = knownAddresses(host) ?? (await unlessAborted(resolve(host, signal), signal))
    const found = addresses.filter(mayReach).flatMap((text) => parseAddress(text) ?? [])
    if (found.length > 0) return found
    throw new OutboundError(addresses.length > 0 ? 'refused_address' : 'unresolvable')
  }
}

/** The same promise, rejected when the signal is aborted. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = () => reject(new OutboundError('timed_out'))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
