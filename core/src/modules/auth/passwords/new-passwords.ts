import { at, type Core, type Ctx, type FieldProblem, invalidRequest, normalizeEmail } from '#kernel'
import { checkPassword } from './password-check.ts'

/** The schema refuses anything longer. */
const LONGEST = 1024

/** What a new password is checked against, and which field its problems point to. */
export interface NewPasswordRules {
  /** What is known of the person: e-mail address, name, company. */
  context: readonly string[]
  /** Default: `password`. */
  field?: string
}

/** Everything wrong with a new password, as problems of the body. */
export function passwordProblems(
  core: Pick<Core, 'config' | 'product'>,
  password: string,
  { context, field = 'password' }: NewPasswordRules,
): FieldProblem[] {
  const words = [...context, ...namesOfProduct(core)]
  const { minLength } = core.config.passwords
  return checkPassword(password, { minLength, context: words }).map((problem) => at(field, problem))
}

/** The names by which users know the installation. */
function namesOfProduct({ config, product }: Pick<Core, 'config' | 'product'>): string[] {
  const { hostname } = new URL(config.http.publicUrl)
  return [product.name, ...(config.mail.from ? [config.mail.from.name] : []), hostname.replace(/\.[^.]*$/, '')]
}

/** Throws 400 with everything that is wrong with a new password. */
export function requireGoodPassword(ctx: Ctx, password: string, rules: NewPasswordRules): void {
  const errors = passwordProblems(ctx, password, rules)
  if (errors.length > 0) throw invalidRequest({ errors })
}

/**
 * A `check` for routes: it looks at the new password of an unvalidated body, so that its problems are in the same
 * answer as those of other fields. `words`: fields that the password must not consist of. The operation checks again,
 * because it knows the person.
 */
export function newPasswordIn(field: string, ...words: string[]) {
  return (body: Readonly<Record<string, unknown>>, core: Core): FieldProblem[] => {
    const password = body[field]
    if (typeof password !== 'string' || password === '' || password.length > LONGEST) return []
    const texts = words.map((name) => body[name]).filter((text) => typeof text === 'string')
    const context = texts.map((text) => normalizeEmail(text) ?? text)
    return passwordProblems(core, password, { context, field })
  }
}
