import { settings } from './env.ts'

/** Settings of features that do not exist yet, so that nobody relies on them. A star matches any ending. */
const NOT_BUILT: readonly [name: string, what: string][] = [['OTEL_*', 'sending traces']]

/** A sentence for each given setting that has no effect yet. */
export function findUnbuilt(source: Record<string, string | undefined>): string[] {
  return givenNames(source).flatMap((name) => {
    const found = findToCome(name)
    return found ? [`${name} is set, but ${found[1]} is not built yet: take it out of the environment.`] : []
  })
}

/** Whether a name is reserved for a feature that does not exist yet. */
export const isToCome = (name: string): boolean => findToCome(name) !== undefined

function findToCome(name: string) {
  return NOT_BUILT.find(([pattern]) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}

/**
 * A sentence for each name that looks like a misspelt setting, unless that setting is given too. `declared`: settings
 * of modules.
 */
export function findMisspelt(source: Record<string, string | undefined>, declared: readonly string[] = []): string[] {
  const given = new Set(givenNames(source))
  const known = [...longNames, ...declared]
  return [...given].flatMap((name) => {
    if (name in settings || declared.includes(name) || !/^[A-Z][A-Z\d_]*$/i.test(name)) return []
    const meant =
      known.find((one) => one === name.toUpperCase()) ?? known.find((one) => !given.has(one) && isNear(name, one))
    return meant ? [`${name} is no setting: ${meant} is. Correct the name, or take it out of the environment.`] : []
  })
}

// Short names resemble other common variables (HOME and HOST).
const longNames = Object.keys(settings).filter((name) => name.includes('_'))

function givenNames(source: Record<string, string | undefined>): string[] {
  return Object.keys(source).filter((name) => source[name]?.trim())
}

/** One typing error in a short name, two in a long one. */
function isNear(given: string, known: string): boolean {
  return slips(given, known) <= (known.length > 10 ? 2 : 1)
}

/** The number of typing errors: letters omitted, added, replaced or swapped (optimal string alignment distance). */
function slips(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (back: number, column: number) => rows[i - back]?.[column] ?? Number.POSITIVE_INFINITY
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const best = Math.min(at(1, j) + 1, (row[j - 1] ?? 0) + 1, at(1, j - 1) + same)
      row.push(swapped ? Math.min(best, at(2, j - 2) + 1) : best)
    }
    rows.push(row)
  }
  return rows.at(-1)?.at(-1) ?? Number.POSITIVE_INFINITY
}
