// What nobody sees: format characters, zero-width and filling ones, directions, blanks of Braille and Hangul, and code
// points that no letter or sign has been given.
const INVISIBLE = /[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu
const SEPARATORS = /\p{Z}+/gu
const SHOWN = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Longer text is left as it is, for its limit to refuse: tidying is for what may turn out to be a name. */
const LONGEST = 8_000

/** The text without characters that nobody sees. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, '')
}

/**
 * The one form in which a line of text is looked at, compared and kept: composed (NFC), without characters that nobody
 * sees, with single blanks between words and none around them. Control characters stay, for the pattern to refuse.
 */
export function tidyLine(text: string): string {
  if (text.length > LONGEST) return text
  return withoutInvisible(text).normalize('NFC').replace(SEPARATORS, ' ').trim()
}

/** True for text that shows at least one letter, digit or sign. */
export function showsSomething(text: string): boolean {
  return SHOWN.test(withoutInvisible(text))
}

/** Words to search for: a line in which tabs and line breaks count as blanks; undefined when nothing is left. */
export function tidySearch(text: string): string | undefined {
  return tidyLine(text.slice(0, LONGEST).replace(/\s+/g, ' ')) || undefined
}
