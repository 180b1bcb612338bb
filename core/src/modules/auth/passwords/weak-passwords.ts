import { readFileSync } from 'node:fs'
import { bitsOf, isPattern } from './guessability.ts'

/**
 * True for a password that guessing programs try early: a listed one, also disguised or padded, or a simple pattern.
 */
export function isCommon(password: string): boolean {
  const isWord = foldSigns(password).some((form) => {
    const bare = form.replace(/[^\p{L}\p{N}]/gu, '')
    return [form, bare, unitOf(bare)].some(isListed) || isPaddedWord(form)
  })
  return isWord || isPattern(password) || isPattern(interleaved(password))
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

const WORD_MIN = 4
const PADDING_MAX = 4
const PADDING_BITS = 12

/** A listed word surrounded by digits and signs that are few, predictable, or no longer than the word. */
function isPaddedWord(text: string): boolean {
  const match = /^([^\p{L}]*)(.*?)([^\p{L}]*)$/su.exec(text)
  const [before, word, after] = [match?.[1] ?? '', match?.[2] ?? '', match?.[3] ?? '']
  const core = unitOf(word.replace(/[^\p{L}\p{N}]/gu, ''))
  if (core.length < WORD_MIN || !isListed(core)) return false
  const isPadding = (part: string) => part.length <= PADDING_MAX || bitsOf(part) <= PADDING_BITS
  return [before, after].every(isPadding) || word.length >= text.length / 2
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

/** Every other character first (`1q2w3e4r` → `1234qwer`). */
function interleaved(text: string): string {
  const characters = Array.from(text)
  return [0, 1].flatMap((odd) => characters.filter((_, index) => index % 2 === odd)).join('')
}
