import { at, type Declared, type FieldProblem } from '#kernel'
import { meaningless } from '../events/index.ts'

/** The patterns and the name that an event is asked for by: `pos.sale.made` by `*`, `pos.*`, `pos.sale.*` and itself. */
export function patternsOf(name: string): string[] {
  const words = name.split('.')
  return ['*', ...words.slice(1).map((_, index) => `${words.slice(0, index + 1).join('.')}.*`), name]
}

/** Characters of a pattern, at most. */
export const MAX_PATTERN_LENGTH = 100

/** Of others the schema speaks. */
const isOfLength = ({ length }: string) => length > 0 && length <= MAX_PATTERN_LENGTH

/** Problems with `events` of a body, whatever it holds. */
export function* problemsOfPatterns(
  { events }: { readonly events?: unknown },
  { registry }: Declared,
): Iterable<FieldProblem> {
  if (!Array.isArray(events)) return
  const patterns = events.filter((each) => typeof each === 'string' && isOfLength(each))
  const unknown = new Set(meaningless(patterns, registry.published.keys()))
  for (const [index, pattern] of events.entries())
    if (unknown.has(pattern))
      yield at(`events/${index}`, 'is no event that is sent, nor a pattern of any: GET /webhooks/events lists them')
}
