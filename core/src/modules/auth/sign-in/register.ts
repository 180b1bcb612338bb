import { at, type Ctx, invalidRequest, newId, recipientOf } from '#kernel'
import { foundTenant, registrationClosed } from '../../tenants/index.ts'
import {
  addUser,
  changeUser,
  emailTaken,
  listUserTenants,
  lockUser,
  normalizeEmail,
  rolesOfOperator,
  type UserRow,
} from '../../users/index.ts'
import { emailTakenMail } from '../mails.ts'
import { hashPassword } from '../passwords/hash.ts'
import { passwordProblems } from '../passwords/new-passwords.ts'
import { type Account, findAccountByEmail, findAccountById, insertPassword } from '../queries.ts'
import { requestVerification } from '../recovery/verify-email.ts'
import type { Registration, SignInAnswer } from '../schema.ts'
import { actorOf, completeSignIn } from './complete-sign-in.ts'

/**
 * Makes a person and their first tenant, whose owner they are, and signs them in. Who was invited somewhere but has no
 * account yet registers under the same id; who belongs to a tenant already, or runs the installation, gets a password by a mailed
 * link alone. Throws 409 `email_taken` (and tells the owner of the address), `slug_taken`, and 403
 * `registration_closed` where people come in by invitation only.
 */
export async function register(ctx: Ctx, input: Registration, inCookie: boolean): Promise<SignInAnswer> {
  if (ctx.config.registration === 'closed') throw registrationClosed()
  const email = requireSound(ctx, input, [input.name, input.tenant_name])
  const known = await ctx.transaction((ctx) => findUnregistered(ctx, email), { tenantId: null })
  if (known === 'registered') throw emailTaken()
  const hash = await hashPassword(ctx, input.password)
  const tenantId = newId()
  const userId = await ctx.transaction((ctx) => found(ctx, { ...input, email, hash, tenantId, known }), { tenantId })
  return completeSignIn(ctx, { userId, tenantId, method: 'registration', passwordHash: hash, inCookie })
}

/**
 * The address of a new account in the form that it is stored in. Throws 400 with all that is wrong with it and with the
 * password, at `#/email` and `#/password`. `words`: names that the password must not consist of.
 */
export function requireSound(
  ctx: Ctx,
  { email, password }: { email: string; password?: string },
  words: readonly string[],
): string {
  const normalized = normalizeEmail(email)
  const rules = { context: [normalized ?? email, ...words] }
  const errors = password === undefined ? [] : passwordProblems(ctx, password, rules)
  if (normalized === null) errors.unshift(at('email', 'is not a valid e-mail address'))
  if (normalized === null || errors.length > 0) throw invalidRequest({ errors })
  return normalized
}

async function findUnregistered(ctx: Ctx, email: string): Promise<UserRow | undefined | 'registered'> {
  const account = await findAccountByEmail(ctx.tx, email)
  if (!account || (await canRegister(ctx, account))) return account?.user
  const { user } = account
  await ctx.mail(emailTakenMail, { ...recipientOf(user), data: { name: user.name, at: ctx.clock.now() } })
  return 'registered'
}

/**
 * Whether a password that nobody's mail has proven gives nothing but a new tenant: not where the person has one already, or
 * rights, or an address that counts as confirmed.
 */
async function canRegister(ctx: Ctx, { user, passwordHash }: Account): Promise<boolean> {
  // Asked of every account, so that the time does not tell who has no password.
  const tenants = await listUserTenants(ctx.tx, user.id)
  if (passwordHash !== null || user.status !== 'active' || user.email_verified_at !== null) return false
  return tenants.length === 0 && rolesOfOperator(user).length === 0
}

/** Looks once more, at a row that is locked: the person may have been put into a tenant while the password was hashed. */
async function requireUnclaimed(ctx: Ctx, userId: string): Promise<void> {
  await lockUser(ctx.tx, userId)
  const account = await findAccountById(ctx.tx, userId)
  if (!account || !(await canRegister(ctx, account))) throw emailTaken()
}

interface Founding extends Registration {
  hash: string
  tenantId: string
  known: UserRow | undefined
}

async function found(
  ctx: Ctx,
  { email, name, hash, known, tenantId, tenant_name, tenant_slug }: Founding,
): Promise<string> {
  if (known) await requireUnclaimed(ctx, known.id)
  const user = await createAccount(ctx, { email, name, hash, known })
  const founder = ctx.as(actorOf(user))
  await foundTenant(founder, { id: tenantId, name: tenant_name, slug: tenant_slug, founder: { userId: user.id, name } })
  await requestVerification(founder, user.id)
  return user.id
}

/**
 * A person with a password: a new one, or one that was `known` without an account, who takes the name given now. Of
 * several at the same time one succeeds, the others throw 409 `email_taken`.
 */
export async function createAccount(
  ctx: Ctx,
  {
    email,
    name,
    hash,
    known,
    isSuperAdmin,
  }: { email: string; name: string; hash: string; known?: UserRow; isSuperAdmin?: boolean },
): Promise<UserRow> {
  const person = known ?? (await addUser(ctx, { email, name: name.trim(), isSuperAdmin }))
  if (!(await insertPassword(ctx.tx, { user_id: person.id, hash, changed_at: ctx.clock.now() }))) throw emailTaken()
  if (!known) return person
  return changeUser(ctx.as(actorOf(person)), person.id, { name: name.trim(), is_super_admin: isSuperAdmin })
}
