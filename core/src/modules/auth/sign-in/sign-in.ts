import { type AppError, type Ctx, recipientOf } from '#kernel'
import { invalidCredentials } from '../errors.ts'
import { signInFailed } from '../events.ts'
import { signInAttemptsMail } from '../mails.ts'
import { rehashPassword, verifyPassword } from '../passwords/hash.ts'
import { type Account, findAccountByEmail, updatePassword } from '../queries.ts'
import type { Credentials, SignInAnswer } from '../schema.ts'
import { actorOf, completeSignIn } from './complete-sign-in.ts'
import { knowsDevice } from './devices.ts'
import { type Attempt, attemptOn, countFailure, requireNotLocked } from './lockout.ts'

/**
 * Signs a person in by their password. An account that does not exist, or has no password yet, costs the same time and
 * gets the same answer as a wrong password.
 */
export async function signIn(
  ctx: Ctx,
  { email, password, tenant_id }: Credentials,
  inCookie: boolean,
): Promise<SignInAnswer> {
  const attempt = attemptOn(ctx, email)
  const account = await ctx.transaction(
    async (ctx) => {
      const found = findAccountByEmail(ctx.tx, email, attempt.fingerprint)
      await requireNotLocked(ctx, attempt, () => knowsDevice(found))
      return found
    },
    { tenantId: null, readOnly: true },
  )
  const proven = await provePassword(ctx, { account, password, attempt })
  return completeSignIn(ctx, {
    userId: proven.user.id,
    method: 'password',
    tenantId: tenant_id?.toLowerCase(),
    homeTenantId: proven.homeTenantId,
    passwordHash: proven.passwordHash,
    attempt,
    inCookie,
  })
}

/** An account whose password was proven just now; `passwordHash` is the stored one that it matched. */
export type ProvenAccount = Account & { passwordHash: string }

/**
 * Proves a password; its stored hash is made anew when the cost of hashing has risen. A failure is counted and recorded:
 * throws 401 `invalid_credentials`, or 429 when it was one too many.
 */
export async function provePassword(
  ctx: Ctx,
  { account, password, attempt }: { account: Account | undefined; password: string; attempt: Attempt },
): Promise<ProvenAccount> {
  const stored = account?.passwordHash ?? null
  const { ok, rehash } = await verifyPassword(ctx, stored, password)
  if (!ok || !account || stored === null) throw await recordFailure(ctx, { account, attempt, reason: 'wrong_password' })
  return { ...account, passwordHash: rehash ? await replaceHash(ctx, account.user.id, stored, password) : stored }
}

/** Counts and records a failed attempt; returns what to tell whoever made it. */
export async function recordFailure(
  ctx: Ctx,
  { account, attempt, reason }: { account?: Account; attempt: Attempt; reason: string },
): Promise<AppError> {
  return ctx.transaction(
    async (ctx) => {
      const user = account?.user
      const actor = user ? actorOf(user) : ctx.actor
      const [{ refusal, isUnderAttack }] = await Promise.all([
        countFailure(ctx, attempt),
        ctx
          .as(actor)
          .emit(signInFailed, { id: user?.id ?? null, label: user?.name ?? null, storeId: null, after: { reason } }),
      ])
      if (isUnderAttack && account) await warnOfAttempts(ctx, account)
      return refusal ?? invalidCredentials()
    },
    // The members of a tenant can see attempts on each other's accounts; nobody's account is nobody's record.
    { tenantId: account?.homeTenantId ?? null },
  )
}

/** Tells a person once that somebody is guessing at their password from places that they do not sign in from. */
async function warnOfAttempts(ctx: Ctx, { user, passwordHash }: Account): Promise<void> {
  if (passwordHash === null || user.status !== 'active') return
  const data = { name: user.name, at: ctx.clock.now() }
  await ctx.mail(signInAttemptsMail, { ...recipientOf(user), data })
}

async function replaceHash(ctx: Ctx, userId: string, oldHash: string, password: string): Promise<string> {
  const hash = await rehashPassword(ctx, password)
  if (hash === null) return oldHash
  const replaced = await ctx.transaction(({ tx }) => updatePassword(tx, userId, oldHash, { hash }), { tenantId: null })
  return replaced ? hash : oldHash
}
