import { Resolver } from 'node:dns/promises'

/** Resolves all addresses of a name; empty when there are none. Ends early when aborted. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

const TRY_MS = 3_000

/**
 * Queries the name servers directly. The system's look-up would block one of the process's few threads, so that a few
 * names without an answer would delay other work there, such as password hashing. Names in the hosts file are therefore
 * not found.
 */
export const resolveByDns: Resolve = createResolve()

/** `servers`: name servers; default: those of the machine. */
export function createResolve(servers?: readonly string[]): Resolve {
  return async (host, signal) => {
    const resolver = new Resolver({ timeout: TRY_MS, tries: 2 })
    if (servers) resolver.setServers(servers)
    const cancel = () => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const none = () => [] // no such name, no such record, no answer: no address in any case
      const answers = await Promise.all([resolver.resolve4(host).catch(none), resolver.resolve6(host).catch(none)])
      return answers.flat()
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}
