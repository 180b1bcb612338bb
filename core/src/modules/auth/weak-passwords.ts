import { readFileSync } from 'node:fs'

/** True for a password that guessing programs try early: of the list, in disguise or not, or a mere pattern. */
export function isCommon(password: string): boolean {
  return foldSigns(password).some((form) => {
    const bare = form.replace(/[^\p{L}\p{N}]/gu, '')
    return [form, bare, unitOf(bare)].some((text) => isListed(text) || isPattern(text)) || isPaddedWord(form)
  })
}

let listed: Set<string> | undefined

function isListed(text: string): boolean {
  // Read on first use: most processes, and all tests of other things, never need it.
  listed ??= new Set(
    readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  )
  return listed.has(text)
}

/** A listed word with digits and signs around it that are a pattern themselves, or no longer than the word. */
function isPaddedWord(text: string): boolean {
  const match = /^([^\p{L}]*)(.*?)([^\p{L}]*)$/su.exec(text)
  const [before, word, after] = [match?.[1] ?? '', match?.[2] ?? '', match?.[3] ?? '']
  const core = unitOf(word.replace(/[^\p{L}\p{N}]/gu, ''))
  if (core === '' || !(isListed(core) || isPattern(core))) return false
  return [before, after].every((part) => part.length <= 4 || isPattern(part)) || word.length >= text.length / 2
}

const SIGNS: Record<string, string> = { '@': 'a', '4': 'a', '3': 'e', '0': 'o', $: 's', '5': 's', '7': 't', '8': 'b' }

/** A text in lower case: as it is, and with the letters that its signs may stand for (`p@ssw0rd` → `password`). */
export function foldSigns(text: string): string[] {
  const lower = text.toLowerCase()
  // Signs at the end are mostly padding (`password1!`), but not always (`pa$$`): both readings count.
  const tail = /[^\p{L}]*$/u.exec(lower)?.[0] ?? ''
  const head = lower.slice(0, lower.length - tail.length)
  return [...new Set([lower, fold(head, 'i') + tail, fold(head, 'l') + tail, fold(lower, 'i'), fold(lower, 'l')])]
}

function fold(text: string, letterOfOne: 'i' | 'l'): string {
  return text.replace(/[@430$578]/g, (sign) => SIGNS[sign] ?? sign).replace(/[1!|]/g, letterOfOne)
}

/** The part that a text repeats (`abcabc` → `abc`), or the text itself. */
function unitOf(text: string): string {
  const period = `${text}${text}`.indexOf(text, 1)
  return period > 0 ? text.slice(0, period) : text
}

/** Few different characters, or mostly steps to the same, the next or a neighbouring key. */
function isPattern(text: string): boolean {
  const characters = Array.from(text, (character) => UNSHIFTED[character] ?? character)
  if (characters.length < 3) return characters.length > 0
  if (new Set(characters).size * 4 <= characters.length) return true
  const steps = characters.slice(1).filter((character, index) => isStep(characters[index] ?? '', character))
  return steps.length >= (characters.length - 1) * 0.7
}

const ROWS = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const UNSHIFTED = Object.fromEntries(Array.from('!@#$%^&*()', (sign, index) => [sign, ROWS[0]?.[index] ?? sign]))
const KEYS = new Map(ROWS.flatMap((row, y) => Array.from(row, (key, x) => [key, { x, y }] as const)))

function isStep(from: string, to: string): boolean {
  const distance = Math.abs((from.codePointAt(0) ?? 0) - (to.codePointAt(0) ?? 0))
  if (distance <= 1) return true
  const [a, b] = [KEYS.get(from), KEYS.get(to)]
  return a !== undefined && b !== undefined && Math.abs(a.x - b.x) <= 1 && Math.abs(a.y - b.y) <= 1
}
