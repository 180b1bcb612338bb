import { at, type Core, type FieldProblem, normalizeEmail } from '#kernel'
import { checkPassword } from './password-check.ts'

/** Longer is refused by the schema, whatever it is made of. */
const LONGEST = 1024

/**
 * Looks at the new password of a body before anything else is known, so that what is wrong with it is told together with
 * what is wrong with the other fields. `words`: fields that the password must not consist of. The operation looks again,
 * and knows the person.
 */
export function newPasswordIn(field: string, ...words: string[]) {
  return (body: Readonly<Record<string, unknown>>, { config }: Core): FieldProblem[] => {
    const password = body[field]
    if (typeof password !== 'string' || password === '' || password.length > LONGEST) return []
    const texts = words.map((name) => body[name]).filter((text) => typeof text === 'string')
    const context = texts.map((text) => normalizeEmail(text) ?? text)
    return checkPassword(password, { ...config.passwords, context }).map((problem) => at(field, problem))
  }
}
