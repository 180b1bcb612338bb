// Invisible characters: format characters, zero-width and filler ones, directions, blanks of Braille and Hangul, and
// unassigned code points.
const INVISIBLE = /[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu
const SEPARATORS = /\p{Z}+/gu
const SHOWN = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Longer text is not tidied, because its length limit refuses it. */
const LONGEST = 8_000

/** The text without characters that nobody sees. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, '')
}

/**
 * The canonical form of a line of text: composed (NFC), without invisible characters, with single blanks between words
 * and none around them. Control characters stay, for the pattern to refuse.
 */
export function tidyLine(text: string): string {
  if (text.length > LONGEST) return text
  return withoutInvisible(text).normalize('NFC').replace(SEPARATORS, ' ').trim()
}

/** True for text that shows at least one letter, digit or sign. */
export function showsSomething(text: string): boolean {
  return SHOWN.test(withoutInvisible(text))
}

/** The text of a search, with tabs and line breaks as blanks; undefined when nothing is left. */
export function tidySearch(text: string): string | undefined {
  return tidyLine(text.slice(0, LONGEST).replace(/\s+/g, ' ')) || undefined
}
