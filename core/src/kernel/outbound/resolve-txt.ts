import { Resolver } from 'node:dns/promises'
import { errorCode } from '../system-errors.ts'

/** What the name servers say about the TXT records of a name. */
export type TxtAnswer =
  /** Each record as one text; empty when there are none, which the servers said for certain. */
  | { readonly isKnown: true; readonly texts: readonly string[] }
  /** No answer, or one that says nothing: what is there is not known. */
  | { readonly isKnown: false }

/** Looks up the TXT records of a name. Never throws, and ends in bounded time. */
export type ResolveTxt = (name: string) => Promise<TxtAnswer>

/** Answers of the name servers that are certain: there is no such name, or no record of this kind. */
const NOTHING = ['ENODATA', 'ENOTFOUND']
const MAX_RECORDS = 50
const MAX_LENGTH = 4_096
const UNKNOWN: TxtAnswer = { isKnown: false }

/**
 * Queries name servers directly, as `createResolve` does. What a stranger's zone holds is bounded here: of many records the
 * first ones count, and records that are longer than any that means something are left out. `servers`: default those of
 * the machine.
 */
export function createResolveTxt({
  servers,
  tryMs = 3_000,
}: {
  servers?: readonly string[] | null
  tryMs?: number
} = {}): ResolveTxt {
  return async (name) => {
    const resolver = new Resolver({ timeout: tryMs, tries: 2 })
    if (servers) resolver.setServers(servers)
    // Servers that answer a little at a time would go on for longer than the tries take.
    const timer = setTimeout(() => resolver.cancel(), 3 * tryMs)
    try {
      const records = await resolver.resolveTxt(name)
      const texts = records.slice(0, MAX_RECORDS).map((parts) => parts.join(''))
      return { isKnown: true, texts: texts.filter(({ length }) => length <= MAX_LENGTH) }
    } catch (error) {
      return NOTHING.includes(errorCode(error) ?? '') ? { isKnown: true, texts: [] } : UNKNOWN
    } finally {
      clearTimeout(timer)
    }
  }
}
