/** Words that start later in a name are not found. */
const SEARCHED_CHARACTERS = 200
/** Enough characters to fold into those that are searched. */
const READ_CHARACTERS = 1_000
/** Characters stored of a name from each of its words on. */
const TERM_CHARACTERS = 60

const WORD = /[\p{L}\p{M}\p{N}]/u
// Scripts written without spaces: any character may start a word.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** A text in the form for comparing: without differences of case, width, composition and spacing. */
export function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replaceAll('i\u0307', 'i')
    .replaceAll('ς', 'σ')
    .replace(/\s+/gu, ' ')
    .trim()
}

/** Folds as much of a name as is searched. */
const foldName = (name: string) => fold(name.slice(0, READ_CHARACTERS).toWellFormed())

/** True when a word of the name starts with `prefix`, which is folded and may span several words. */
export function hasWord(name: string, prefix: string): boolean {
  const text = foldName(name)
  for (let at = text.indexOf(prefix); at >= 0 && at < SEARCHED_CHARACTERS; at = text.indexOf(prefix, at + 1))
    if (beginsWord(text, at)) return true
  return false
}

/** The terms of a name in the dictionary: its folded text from each of its words on, truncated. */
export function termsOf(name: string): string[] {
  const text = foldName(name)
  const terms = new Set<string>()
  for (let at = 0; at < text.length && at < SEARCHED_CHARACTERS; at++)
    if (beginsWord(text, at)) terms.add(cutTerm(text.slice(at)))
  return [...terms]
}

/** The first characters of a text, without splitting one. */
function cutTerm(text: string): string {
  return [...text.slice(0, 2 * TERM_CHARACTERS)].slice(0, TERM_CHARACTERS).join('')
}

/**
 * Whether a word starts there: at the start, after a space, where letters or digits start, and at each character of a
 * script without spaces.
 */
function beginsWord(text: string, at: number): boolean {
  if (at === 0) return true
  const here = characterAt(text, at)
  if (here === undefined || here === ' ') return false
  const before = characterBefore(text, at)
  if (before === ' ' || UNSPACED.test(here)) return true
  return WORD.test(here) && !WORD.test(before)
}

/** Undefined in the middle of a character. */
function characterAt(text: string, at: number): string | undefined {
  const code = text.charCodeAt(at)
  if (code >= 0xdc00 && code <= 0xdfff) return undefined
  return String.fromCodePoint(text.codePointAt(at)!) // it lies within the text
}

function characterBefore(text: string, at: number): string {
  const code = text.charCodeAt(at - 1)
  return code >= 0xdc00 && code <= 0xdfff ? text.slice(at - 2, at) : text.charAt(at - 1)
}

/** The range of terms with the prefix, by bytes: from `from` to before `before` (null: to the end). */
export function termRange(prefix: string): { from: string; before: string | null } {
  const from = cutTerm(prefix)
  const characters = [...from]
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const next = nextCharacter(last)
    if (next !== null) return { from, before: characters.join('') + next }
  }
  return { from, before: null }
}

function nextCharacter(character: string): string | null {
  const code = character.codePointAt(0)! // it is a character
  if (code === 0x10ffff) return null
  return String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
}

/**
 * A regular expression of PostgreSQL that matches every plain ASCII name with such a word, and few others; null when
 * there is none.
 */
export function asciiPattern(prefix: string): string | null {
  if (!/^[ -~]+$/.test(prefix)) return null
  const escaped = prefix.replace(/[^a-z0-9 ]/g, '\\$&').replaceAll(' ', '\\s+')
  return `(^|[^a-z0-9])${escaped}`
}
