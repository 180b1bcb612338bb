/** The most that one request names. */
export const MAX_PATTERNS_LENGTH = 2_000

/** Whether a name, or a pattern such as `store.*` or `*`, means an event of this name. */
export const isMeant = (pattern: string, name: string): boolean =>
  pattern === '*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1)))

/** The events of these names that names and patterns mean. */
export const namesMeant = (patterns: readonly string[], names: Iterable<string>): string[] =>
  [...names].filter((name) => patterns.some((pattern) => isMeant(pattern, name)))

/** The names and patterns that mean none of these events. */
export function meaningless(patterns: readonly string[], names: Iterable<string>): string[] {
  const known = [...names]
  return patterns.filter((pattern) => !known.some((name) => isMeant(pattern, name)))
}

/** Names and patterns as a query has them, with commas between: each once, in one order whatever order they were given in. */
export const readPatterns = (text: string): string[] =>
  [...new Set(text.split(',').map((pattern) => pattern.trim()))].sort()
