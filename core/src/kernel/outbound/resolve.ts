import { Resolver } from 'node:dns/promises'

/** Finds all addresses of a name; none when it has none. Ends early when told to. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

const TRY_MS = 3_000

/**
 * Asks the name servers directly. The usual look-up would wait in one of the process's few threads, where a handful of
 * names that nobody answers for would hold up everything else that runs there, password hashing for one. So names that
 * stand in the hosts file alone are not found.
 */
export const resolveByDns: Resolve = createResolve()

/** `servers`: which to ask; default: those of the machine. */
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
