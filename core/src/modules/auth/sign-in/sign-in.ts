import { AppError, type Ctx, recipientOf } from '#kernel'
import { invalidCredentials } from '../errors.ts'
import { signInFailed } from '../events.ts'
import { signInAttemptsMail } from '../mails.ts'
import { rehashPassword, verifyPassword } from '../passwords/hash.ts'
import { type Account, findAccountByEmail } from '../queries.ts'
import { noteRefusal, noting, type Refusal } from '../refusals/refusals.ts'
import type { Credentials, SignInAnswer } from '../schema.ts'
import { actorOf, completeSignIn } from './complete-sign-in.ts'
import { knowsDevice } from './devices.ts'
import { type Attempt, attemptOn, countFailure, requireNotLocked } from './lockout.ts'

/**
 * Signs a person in by their password. An account that does not exist, or has no password yet, costs the same time and
 * gets the same answer as a wrong password.
 */
export async function signIn(ctx: Ctx, credentials: Credentials, inCookie: boolean): Promise<SignInAnswer> {
  const attempt = attemptOn(ctx, credentials.email)
  const proven = await prove(ctx, credentials, attempt)
  const enter = ({ user, homeTenantId, passwordHash, freshHash }: ProvenAccount) =>
    noting(ctx, attempt, () =>
      completeSignIn(ctx, {
        userId: user.id,
        method: 'password',
        tenantId: credentials.tenant_id?.toLowerCase(),
        homeTenantId,
        passwordHash,
        freshHash,
        attempt,
        inCookie,
      }),
    )
  try {
    return await enter(proven)
  } catch (error) {
    if (proven.freshHash === null || !(error instanceof AppError) || error.kind !== invalidCredentials) throw error
    // Another sign-in has hashed the same password anew, or it was changed: the hash of now tells.
    return await enter(await prove(ctx, credentials, attempt))
  }
}

async function prove(ctx: Ctx, { email, password }: Credentials, attempt: Attempt): Promise<ProvenAccount> {
  const account = await noting(ctx, attempt, () =>
    ctx.transaction(
      async (ctx) => {
        const found = findAccountByEmail(ctx.tx, email, attempt.fingerprint)
        await requireNotLocked(ctx, attempt, () => knowsDevice(found))
        return found
      },
      { tenantId: null, readOnly: true },
    ),
  )
  return provePassword(ctx, { account, password, attempt })
}

/** An account whose password was proven just now. */
export interface ProvenAccount extends Account {
  /** The stored one that it matched. */
  passwordHash: string
  /** What to store in its place, in the transaction that trusts the password; null: nothing. */
  freshHash: string | null
}

/**
 * Proves a password, and hashes it anew when the stored hash was imported or the cost of hashing has risen. A failure is
 * counted and recorded: throws 401 `invalid_credentials`, or 429 when it was one too many.
 */
export async function provePassword(
  ctx: Ctx,
  { account, password, attempt }: { account: Account | undefined; password: string; attempt: Attempt },
): Promise<ProvenAccount> {
  const stored = account?.passwordHash ?? null
  const { ok, rehash } = await verifyPassword(ctx, stored, password)
  if (!ok || !account || stored === null) throw await recordFailure(ctx, { account, attempt, reason: 'wrong_password' })
  return { ...account, passwordHash: stored, freshHash: rehash ? await rehashPassword(ctx, password) : null }
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
      await noteRefusal(ctx, attempt, refusal ? 'locked_out' : refusalOf(account))
      if (isUnderAttack && account) await warnOfAttempts(ctx, account)
      return refusal ?? invalidCredentials()
    },
    // The members of a tenant can see attempts on each other's accounts; nobody's account is nobody's record.
    { tenantId: account?.homeTenantId ?? null },
  )
}

function refusalOf(account: Account | undefined): Refusal {
  if (!account) return 'unknown_address'
  return account.passwordHash === null ? 'no_password' : 'wrong_password'
}

/** Tells a person once that somebody is guessing at their password from places that they do not sign in from. */
async function warnOfAttempts(ctx: Ctx, { user, passwordHash }: Account): Promise<void> {
  if (passwordHash === null || user.status !== 'active') return
  const data = { name: user.name, at: ctx.clock.now() }
  await ctx.mail(signInAttemptsMail, { ...recipientOf(user), data })
}
