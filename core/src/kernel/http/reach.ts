import type { IncomingMessage } from 'node:http'
import { isLoopbackAddress } from '../addresses/loopback.ts'
import { notFound } from '../errors.ts'
import type { Reach } from '../module.ts'

/** A port of the server: that of the API, or the one for monitoring. */
export type Port = 'public' | 'probes'

interface Settings {
  readonly http: { readonly metricsPublic: boolean; readonly apiDocsPublic: boolean }
}

/** Whether a port serves a route; if not, the route is unknown there. */
export function standsOn(port: Port, reach: Reach, { http }: Settings): boolean {
  switch (reach) {
    case 'public':
    case 'machine':
      return port === 'public'
    case 'probe':
      return true
    case 'metrics':
      return port === 'probes' || http.metricsPublic
    case 'documents':
      return port === 'public' && http.apiDocsPublic
  }
}

/** Whether `CORS_ORIGINS` can open a route to pages; not those for operators and their programs. */
export function isForPages(reach: Reach): boolean {
  return reach === 'public' || reach === 'documents'
}

/** Headers added by proxies: a request through a proxy comes from anywhere, whatever the socket says. */
const OF_PROXIES = /^(?:x-forwarded(?:-.+)?|forwarded|via|x-real-ip|x-client-ip|x-original-.+|true-client-ip|cf-.+)$/

/**
 * Throws 404 unless a request comes from a program on this machine that knows it speaks to this server: the peer is a
 * loopback address, there is no proxy, the host is one of ours, and no page of another origin makes it. A page of
 * another site can point its own name to 127.0.0.1 (DNS rebinding), but it cannot make the browser omit that name.
 */
export function requireThisMachine({ socket, rawHeaders }: IncomingMessage, publicUrl: string): void {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  const valuesOf = (name: string) => rawHeaders.filter((_, index) => index % 2 === 1 && names[(index - 1) / 2] === name)
  const hosts = valuesOf('host')
  const [host] = hosts
  const isOurs = host !== undefined && hosts.length === 1 && isOwnHost(host, publicUrl)
  const isForeign =
    valuesOf('origin').some((origin) => !isOriginOf(origin, host)) || comesFromAbroad(valuesOf(FETCH_SITE))
  const isOwnPeer = isLoopbackAddress(socket.remoteAddress ?? '')
  if (!isOurs || isForeign || !isOwnPeer || names.some((name) => OF_PROXIES.test(name)))
    throw notFound({ detail: 'No route answers this' })
}

const FETCH_SITE = 'sec-fetch-site'

/** Whether a page of the requested host and port makes the request. */
function isOriginOf(origin: string, host: string | undefined): boolean {
  return /^https?:\/\/(.+)$/.exec(origin)?.[1]?.toLowerCase() === host?.toLowerCase()
}

/**
 * Another port of this machine is the same site: its links may lead here, but requests of its scripts send their
 * origin.
 */
function comesFromAbroad(fetchSites: readonly string[]): boolean {
  return fetchSites.some((site) => site.toLowerCase().includes('cross-site'))
}

function isOwnHost(header: string, publicUrl: string): boolean {
  const name = /^(\[[\da-f:]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(header)?.[1]?.toLowerCase()
  return name !== undefined && ['localhost', '127.0.0.1', '[::1]', new URL(publicUrl).hostname].includes(name)
}
