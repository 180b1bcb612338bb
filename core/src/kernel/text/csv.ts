/** Characters that start a formula in a spreadsheet, including the wide forms of East Asian keyboards. */
const FORMULA = '[=+\\-@＝＋－＠]'
/** Separators at which a spreadsheet may split a text. */
const SEPARATOR = /[,;|\t\r\n\v\f\u0085\u2028\u2029]/
/**
 * What may precede a formula: separators, and characters that spreadsheets ignore or remove, such as blanks, quotes and
 * invisible ones.
 */
const BEFORE = '[,;|"\\s\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}]'
// Matches in linear time: each run of preceding characters is taken whole.
const STARTS = new RegExp(`(^${BEFORE}*|${BEFORE}+)(${FORMULA}?)`, 'gu')
const STRING = /"(?:[^"\\]|\\.)*"/g

/**
 * One line of a CSV file as in RFC 4180, every text in quotes; null is empty, objects are JSON. Whatever separator a
 * spreadsheet uses, no cell is a formula: in a text an apostrophe is put before a character that would start one, in
 * strings of JSON that character is written as an escape.
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

/** A string within JSON, which may become a cell of its own. */
const inertJson = (literal: string) => `"${inert(literal.slice(1, -1), escaped)}"`
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Replaces each character that would start a formula in a cell. */
function inert(text: string, change: (first: string) => string): string {
  return text.replace(STARTS, (_, before: string, first: string, offset: number) => {
    const beginsCell = first !== '' && (offset === 0 || SEPARATOR.test(before))
    return before + (beginsCell ? change(first) : first)
  })
}
