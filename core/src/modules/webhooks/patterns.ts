import { at, type Declared, type FieldProblem } from '#kernel'

/** The patterns and the name that an event is asked for by: `pos.sale.made` by `*`, `pos.*`, `pos.sale.*` and itself. */
export function patternsOf(name: string): string[] {
  const words = name.split('.')
  return ['*', ...words.slice(1).map((_, index) => `${words.slice(0, index + 1).join('.')}.*`), name]
}

/** The events that go out and that one of the patterns asks for, by name. */
export function eventsFor(patterns: readonly string[], { registry }: Declared): string[] {
  const asked = new Set(patterns)
  return [...registry.published.keys()].filter((name) => patternsOf(name).some((pattern) => asked.has(pattern)))
}

/** Problems with `events` of a body, whatever it holds. */
export function* problemsOfPatterns(
  { events }: { readonly events?: unknown },
  { registry }: Declared,
): Iterable<FieldProblem> {
  if (!Array.isArray(events)) return
  const known = new Set([...registry.published.keys()].flatMap(patternsOf))
  for (const [index, pattern] of events.entries())
    if (typeof pattern === 'string' && !known.has(pattern))
      yield at(`events/${index}`, 'is no event that is sent, nor a pattern of any: GET /webhooks/events lists them')
}
