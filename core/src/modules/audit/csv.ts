/** What a spreadsheet takes for the beginning of a formula, the wide forms of East Asian keyboards included. */
const FORMULA = '[=+\\-@＝＋－＠]'
/** What some spreadsheet may have been told to split at. */
const SEPARATOR = /[,;|\t\r\n\v\f\u0085\u2028\u2029]/
/** Separators, and what is not seen or is taken away: blanks, quotes, characters without a shape. */
const BEFORE = '[,;|"\\s\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}]'
// Each character is looked at once: what may stand before a formula is taken whole, whatever follows.
const STARTS = new RegExp(`(^${BEFORE}*|${BEFORE}+)(${FORMULA}?)`, 'gu')
const STRING = /"(?:[^"\\]|\\.)*"/g

/**
 * One line of a CSV file as RFC 4180 has it, every text in quotes. Null is nothing, objects are JSON. Whatever separator a
 * spreadsheet splits it at, no cell is a formula: in a text an apostrophe stands before what would begin one; in the
 * strings of JSON that character is written as an escape, which means the same.
 */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvField).join(',')}\r\n`
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return quoted(inert(value, (first) => `'${first}`))
  if (typeof value === 'object') return quoted(JSON.stringify(value).replace(STRING, inertJson))
  return String(value)
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

/** A string within JSON: each of them may become a cell of its own. */
const inertJson = (literal: string) => `"${inert(literal.slice(1, -1), escaped)}"`
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Changes each character that would begin a formula in a cell of its own. */
function inert(text: string, change: (first: string) => string): string {
  return text.replace(STARTS, (_, before: string, first: string, offset: number) => {
    const beginsCell = first !== '' && (offset === 0 || SEPARATOR.test(before))
    return before + (beginsCell ? change(first) : first)
  })
}
