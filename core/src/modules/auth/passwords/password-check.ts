import { PASSWORD_MAX_BYTES } from './hasher.ts'
import { foldSigns, isCommon } from './weak-passwords.ts'

const MAX_LENGTH = 256
const CONTEXT_WORD_MIN = 4

export interface PasswordRules {
  /** Fewest characters (Unicode code points). */
  minLength: number
  /** What an attacker knows of this person: e-mail address, name, company, product. Empty texts are ignored. */
  context: readonly string[]
}

/**
 * Everything wrong with a new password, as sentences for the person; empty when it is good. It checks length, a list of
 * common passwords and words of the context; there are no rules of composition.
 */
export function checkPassword(password: string, { minLength, context }: PasswordRules): string[] {
  // The shorter form counts, so that normalising can neither stretch a short password nor overflow a long one.
  const normalized = Buffer.byteLength(password) > PASSWORD_MAX_BYTES ? undefined : password.normalize('NFKC')
  const length = Math.min(countCharacters(password), countCharacters(normalized ?? password))
  if (normalized === undefined || length > MAX_LENGTH)
    return [`The password must have at most ${MAX_LENGTH} characters.`]
  if (!password.isWellFormed()) return ['The password contains half a character; type it again.']

  const problems: string[] = []
  if (length < minLength) problems.push(`The password must have at least ${minLength} characters.`)
  if (isCommon(normalized)) problems.push('The password is one that many people use; choose another.')
  if (isMostlyContext(normalized, context)) {
    problems.push(
      'The password consists mostly of your name, e-mail address or company, or of the name of this product; choose another.',
    )
  }
  return problems
}

function countCharacters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** True when words of the context make up half of the password or more, whatever the case and the signs for letters. */
function isMostlyContext(password: string, context: readonly string[]): boolean {
  const words = contextWords(context)
  if (words.length === 0) return false
  return foldSigns(password).some((folded) => {
    const rest = words.reduce((text, word) => text.replaceAll(word, ''), folded)
    return rest.length * 2 <= folded.length
  })
}

/** The words of the texts that have four letters or more, longest first; of an address, not its last label (`com`). */
function contextWords(context: readonly string[]): string[] {
  const words = new Set<string>()
  for (const text of context) {
    const lower = text.normalize('NFKC').toLowerCase().slice(0, 400)
    const bare = lower.includes('@') ? lower.replace(/\.[^.@]*$/, '') : lower
    const parts = bare.split(/[^\p{L}\p{N}]+/u)
    const stems = parts.map((part) => part.replace(/\p{N}+$/u, ''))
    for (const word of [lower, bare, parts.join(''), ...parts, ...stems]) {
      if ((word.match(/\p{L}/gu)?.length ?? 0) >= CONTEXT_WORD_MIN) words.add(word)
    }
  }
  // Words are folded as well, because the password is folded before it is compared with them.
  const folded = [...words].flatMap((word) => [word, ...foldSigns(word)])
  return [...new Set(folded)].sort((a, b) => b.length - a.length)
}
