import { ImportRefused } from './refused.ts'

/** What anybody could want to keep in a row is not nested deeper. */
const MOST_DEPTH = 64

/** A row as it was written: see `ExportedRow`. */
export type Row = Record<string, unknown>

// The types of the language do not know these yet, which Node 24 has.
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A number that would change stays what was written. */
const keepNumbers: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value

/** An object of one line. Of two fields of one name the last counts, as for PostgreSQL. Throws `ImportRefused`, naming the entry. */
export function readObject(line: string, entry: string): Row {
  const { depth, hasOddNumbers } = survey(line)
  // Whoever walks through it calls itself as often.
  if (depth > MOST_DEPTH) throw new ImportRefused(`a line of ${entry} is nested deeper than any row`)
  let value: unknown
  try {
    // With a third argument, as above.
    value = JSON.parse(line, hasOddNumbers ? (keepNumbers as Parameters<typeof JSON.parse>[1]) : undefined)
  } catch {
    throw new ImportRefused(`a line of ${entry} is no JSON`)
  }
  if (!isObject(value) || isRawJSON(value)) throw new ImportRefused(`a line of ${entry} is no object`)
  return value
}

const MOST_DIGITS = 15
const IN_NUMBERS = new Set('.eE')

/** How deep a text of JSON goes, and whether it has numbers that may change when they are read. Before it is parsed. */
function survey(line: string): { depth: number; hasOddNumbers: boolean } {
  let [depth, deepest, digits, hasOddNumbers] = [0, 0, 0, false]
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at)
    if (letter >= '0' && letter <= '9') {
      if (++digits > MOST_DIGITS) hasOddNumbers = true
      continue
    }
    if (digits > 0 && IN_NUMBERS.has(letter)) hasOddNumbers = true
    digits = 0
    if (letter === '"') at = endOfText(line, at)
    else if (letter === '{' || letter === '[') deepest = Math.max(deepest, ++depth)
    else if (letter === '}' || letter === ']') depth--
  }
  return { depth: deepest, hasOddNumbers }
}

/** Where the text that begins here ends; where it never does, so does the line. */
function endOfText(line: string, begins: number): number {
  for (let end = line.indexOf('"', begins + 1); end !== -1; end = line.indexOf('"', end + 1)) {
    let backslashes = 0
    while (line.charAt(end - 1 - backslashes) === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
  return line.length
}

/** The same value with every text in it replaced, names of fields too. The same object where none differs. */
export function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) {
    const mapped = value.map((each) => mapTexts(each, map))
    return mapped.every((each, at) => each === value[at]) ? value : mapped
  }
  if (!isObject(value) || isRawJSON(value)) return value
  const entries = Object.entries(value)
  const mapped = entries.map(([name, each]) => [map(name), mapTexts(each, map)] as const)
  if (mapped.every(([name, each], at) => name === entries[at]?.[0] && each === entries[at]?.[1])) return value
  return Object.fromEntries(mapped)
}

/** Looks at every text in a value, names of fields too. */
export function eachText(value: unknown, look: (text: string) => void): void {
  mapTexts(value, (text) => {
    look(text)
    return text
  })
}
