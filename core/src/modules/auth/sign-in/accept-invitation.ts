import { at, type Ctx, invalidRequest, unauthenticated } from '#kernel'
import {
  findInvitation,
  type InvitationRow,
  invalidToken,
  requireInTime,
  splitInvitationToken,
  useInvitation,
  withdrawIfWorthless,
} from '../../members/index.ts'
import { getTenant, tenantSuspended } from '../../tenants/index.ts'
import { changeUser } from '../../users/index.ts'
import { accountDisabled, invalidCredentials } from '../errors.ts'
import { hashPassword } from '../passwords/hash.ts'
import { requireGoodPassword } from '../passwords/new-passwords.ts'
import { type Account, findAccountById, insertPassword, lockPassword, updatePassword } from '../queries.ts'
import type { Acceptance, SignInAnswer } from '../schema.ts'
import { findSession } from '../sessions/session-queries.ts'
import { requireModeOf } from '../sessions/switch-tenant.ts'
import { actorOf, completeSignIn, type ProvenSignIn } from './complete-sign-in.ts'
import { attemptOn, requireNotLocked } from './lockout.ts'
import { provePassword } from './sign-in.ts'

interface Invited {
  invitation: InvitationRow
  account: Account
  tenantName: string
}

/**
 * Accepts an invitation. A new person chooses a password; an existing account proves itself by its password or by being
 * signed in. The token came by mail, so it verifies the address. Throws 400 `invalid_token` and `token_expired`, and
 * for a new person at `#/password`; 401 for an account that was not proven.
 */
export async function acceptInvitation(ctx: Ctx, input: Acceptance, inCookie: boolean): Promise<SignInAnswer> {
  const parts = splitInvitationToken(input.token)
  if (!parts) throw invalidToken()
  const { tenantId, hash: tokenHash } = parts
  const invited = await ctx.transaction((ctx) => findInvited(ctx, tokenHash), { tenantId })
  if (!invited) throw invalidToken()
  const proof = await prove(ctx, invited, { ...input, inCookie })
  await ctx.transaction((ctx) => join(ctx, invited, { ...proof, name: input.name }), { tenantId })
  return completeSignIn(ctx, { ...proof.signIn, userId: invited.account.user.id, tenantId, inCookie })
}

/**
 * Undefined for an invitation that gives nothing any more. It does not throw, because its withdrawal must be committed.
 */
async function findInvited(ctx: Ctx, tokenHash: Buffer): Promise<Invited | undefined> {
  const invitation = await findInvitation(ctx.tx, ctx.tenantId, tokenHash)
  if (!invitation || invitation.accepted_at !== null) throw invalidToken()
  requireInTime(ctx, invitation)
  const [account, tenant] = await Promise.all([
    findAccountById(ctx.tx, invitation.user_id),
    getTenant(ctx.tx, ctx.tenantId),
  ])
  if (!account) throw invalidToken()
  if (account.user.status !== 'active') throw accountDisabled()
  if (tenant.status !== 'active') throw tenantSuspended()
  if (await withdrawIfWorthless(ctx, invitation)) return undefined
  return { invitation, account, tenantName: tenant.name }
}

interface Proof {
  /** Set when the person gets a new account. */
  newHash?: string
  /** Set when they have proven themselves by their password: the stored hash that it matched. */
  oldHash?: string
  signIn: Omit<ProvenSignIn, 'userId' | 'tenantId' | 'inCookie'>
}

async function prove(
  ctx: Ctx,
  { account, tenantName }: Invited,
  { password, name, inCookie }: Acceptance & { inCookie: boolean },
): Promise<Proof> {
  const { user, passwordHash } = account
  if (passwordHash === null) {
    if (password === undefined) throw invalidRequest({ errors: [at('password', 'is required to open an account')] })
    requireGoodPassword(ctx, password, { context: [user.email, name ?? user.name, tenantName] })
    const newHash = await hashPassword(ctx, password)
    return { newHash, signIn: { method: 'invitation', passwordHash: newHash } }
  }
  // An existing session has passed any second factor.
  const sessionId = ctx.principal?.userId === user.id ? ctx.principal.sessionId : null
  if (sessionId) {
    const session = await ctx.transaction(({ tx }) => findSession(tx, sessionId), { tenantId: null })
    requireModeOf(session, inCookie)
    return { signIn: { method: 'invitation', secondFactorGiven: true } }
  }
  if (password === undefined) {
    if (ctx.principal)
      throw invalidCredentials({ detail: 'The invitation is for another account than the one signed in' })
    throw unauthenticated({ detail: HAS_ACCOUNT })
  }
  const attempt = attemptOn(ctx, user.email)
  await ctx.transaction((ctx) => requireNotLocked(ctx, attempt), { tenantId: null })
  const { passwordHash: oldHash, freshHash } = await provePassword(ctx, { account, password, attempt })
  return { oldHash, signIn: { method: 'invitation', passwordHash: freshHash ?? oldHash, attempt } }
}

async function join(
  ctx: Ctx,
  { invitation, account: { user } }: Invited,
  { newHash, oldHash, name, signIn }: Proof & { name?: string },
): Promise<void> {
  const now = ctx.clock.now()
  const isNew = newHash !== undefined
  const person = ctx.as(actorOf({ id: user.id, name: (isNew && name?.trim()) || user.name }))
  if (signIn.attempt) await requireNotLocked(ctx, signIn.attempt)
  if (oldHash !== undefined) await holdPassword(ctx, user.id, { oldHash, hash: signIn.passwordHash ?? oldHash })
  await changeUser(person, user.id, {
    name: isNew ? name?.trim() : undefined,
    email_verified_at: user.email_verified_at ?? now,
  })
  await useInvitation(person, invitation)
  // The person registered at the same time: that account has to prove itself, and this transaction is rolled back.
  if (isNew && !(await insertPassword(ctx.tx, { user_id: user.id, hash: newHash, changed_at: now })))
    throw unauthenticated({ detail: HAS_ACCOUNT })
}

/** Throws 401 unless the password is still the one that was proven; stores its hash anew where that is another now. */
async function holdPassword({ tx }: Ctx, userId: string, { oldHash, hash }: { oldHash: string; hash: string }) {
  const isHeld =
    hash === oldHash
      ? (await lockPassword(tx, userId)) === oldHash
      : await updatePassword(tx, userId, oldHash, { hash })
  if (!isHeld) throw invalidCredentials()
}

const HAS_ACCOUNT = 'The invited person has an account: sign in to it, or give its password'
