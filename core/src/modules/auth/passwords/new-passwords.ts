import { at, type Core, type Ctx, type FieldProblem, invalidRequest, normalizeEmail } from '#kernel'
import { checkPassword } from './password-check.ts'

/** Longer is refused by the schema, whatever it is made of. */
const LONGEST = 1024

/** What a new password is measured by, and where a problem with it points to. */
export interface NewPasswordRules {
  /** What is known of the person: e-mail address, name, company. */
  context: readonly string[]
  /** Default: `password`. */
  field?: string
}

/** All that is wrong with a new password, as problems of the body. */
export function passwordProblems(
  core: Pick<Core, 'config' | 'product'>,
  password: string,
  { context, field = 'password' }: NewPasswordRules,
): FieldProblem[] {
  const words = [...context, ...namesOfProduct(core)]
  const { minLength } = core.config.passwords
  return checkPassword(password, { minLength, context: words }).map((problem) => at(field, problem))
}

/** What the people of an installation know it by. */
function namesOfProduct({ config, product }: Pick<Core, 'config' | 'product'>): string[] {
  const { hostname } = new URL(config.http.publicUrl)
  return [product.name, ...(config.mail.from ? [config.mail.from.name] : []), hostname.replace(/\.[^.]*$/, '')]
}

/** Throws 400 with all that is wrong with a new password. */
export function requireGoodPassword(ctx: Ctx, password: string, rules: NewPasswordRules): void {
  const errors = passwordProblems(ctx, password, rules)
  if (errors.length > 0) throw invalidRequest({ errors })
}

/**
 * Looks at the new password of a body before anything else is known, so that what is wrong with it is told together with
 * what is wrong with the other fields. `words`: fields that the password must not consist of. The operation looks again,
 * and knows the person.
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
