import { type Actor, type Ctx, permissionDenied } from '#kernel'
import { presentTenant, tenantSuspended } from '../../tenants/index.ts'
import { findLogin, listUserTenants, presentUser, recordLogin, type UserRow } from '../../users/index.ts'
import { accountDisabled, invalidCredentials } from '../errors.ts'
import { signedIn } from '../events.ts'
import { newSignInMail } from '../mails.ts'
import { type Account, findAccountById, lockPassword } from '../queries.ts'
import type { SignedIn, SignInAnswer } from '../schema.ts'
import { type Admission, admit, type Refusal } from '../sessions/admission.ts'
import { upsertKnownDevice } from '../sessions/session-queries.ts'
import { openSession } from '../sessions/sessions.ts'
import { signChallenge } from '../tokens/access-tokens.ts'
import { deviceName, fingerprintOf } from './devices.ts'
import { type Attempt, clearFailures, requireNotLocked } from './lockout.ts'

/** A person who has proven who they are, by whatever way in. */
export interface ProvenSignIn {
  userId: string
  /** How they proved it, as the record shows it: `password`, `invitation`, `registration`, `sso`… */
  method: string
  /** The tenant that they asked for; absent: the one last used, else the oldest, else none. */
  tenantId?: string | null
  /** The one last used, when that is known already. */
  homeTenantId?: string | null
  /** The stored hash that their password matched: it must still be theirs when the session opens. */
  passwordHash?: string
  /** What their failures are counted under; the success clears them. */
  attempt?: Attempt
  /** True when a second factor was given too, or a live session that had given it. */
  secondFactorGiven?: boolean
  /** True when the refresh tokens of the session travel in a cookie; it stays so for as long as the session lives. */
  inCookie?: boolean
}

/** A membership that can't be used now, when there may be others. */
type Outcome = SignInAnswer | { refusal: Refusal }

/**
 * The one gate through which everybody signs in. It looks at the lockout, the person's status and second factor, chooses
 * and checks the tenant, opens the session, records it, and mails the person about a device that is new to them. It
 * opens its own transactions, so it is called outside of any. Throws 403 `account_disabled`, `permission_denied` for a
 * tenant that isn't theirs, `tenant_suspended`; 429 `too_many_attempts`.
 */
export async function completeSignIn(ctx: Ctx, signIn: ProvenSignIn): Promise<SignInAnswer> {
  if (signIn.tenantId) return answerOf(await signInto(ctx, signIn, signIn.tenantId))
  const tried = new Set<string>()
  let suspended = false
  const attempt = async (tenantId: string) => {
    tried.add(tenantId)
    const outcome = await signInto(ctx, signIn, tenantId)
    suspended ||= 'refusal' in outcome && outcome.refusal === 'suspended'
    return 'refusal' in outcome ? undefined : outcome
  }
  const { homeTenantId = await findHome(ctx, signIn.userId) } = signIn
  const atHome = homeTenantId ? await attempt(homeTenantId) : undefined
  if (atHome) return atHome
  const memberships = await ctx.transaction(({ tx }) => listUserTenants(tx, signIn.userId), { tenantId: null })
  for (const { tenant_id } of memberships) {
    const answer = tried.has(tenant_id) ? undefined : await attempt(tenant_id)
    if (answer) return answer
  }
  return answerOf(await signInto(ctx, { ...signIn, unlessSuspended: suspended }, null))
}

async function findHome(ctx: Ctx, userId: string): Promise<string | null> {
  const account = await ctx.transaction(({ tx }) => findAccountById(tx, userId), { tenantId: null })
  return account?.homeTenantId ?? null
}

function answerOf(outcome: Outcome): SignInAnswer {
  if (!('refusal' in outcome)) return outcome
  throw outcome.refusal === 'suspended'
    ? tenantSuspended()
    : permissionDenied({ detail: 'This tenant is not one of yours' })
}

interface Entry extends ProvenSignIn {
  /** Only suspended tenants are left: outside of them there is nothing to do but for who runs the installation. */
  unlessSuspended?: boolean
}

/** Everything that decides about a sign-in is read in the transaction that opens the session. */
function signInto(ctx: Ctx, signIn: Entry, tenantId: string | null): Promise<Outcome> {
  return ctx.transaction(
    async (ctx) => {
      const [account, login, admission] = await Promise.all([
        requireAccount(ctx, signIn),
        findLogin(ctx.tx, signIn.userId),
        admit(ctx, signIn.userId),
      ])
      const { user } = account
      if (user.two_factor_enabled && !signIn.secondFactorGiven) return secondFactorDue(ctx, signIn)
      if (typeof admission === 'string') return { refusal: admission }
      if (signIn.unlessSuspended && !user.is_super_admin) return { refusal: 'suspended' as const }
      return enter(ctx.as(actorOf(user)), signIn, { user, admission, isFirst: login === undefined })
    },
    { tenantId },
  )
}

async function requireAccount(ctx: Ctx, { userId, passwordHash, attempt }: ProvenSignIn): Promise<Account> {
  const [account, hash] = await Promise.all([
    findAccountById(ctx.tx, userId),
    passwordHash === undefined ? undefined : lockPassword(ctx.tx, userId),
    attempt && requireNotLocked(ctx, attempt),
  ])
  // Somebody changed the password while this one was being checked: it is worth nothing any more.
  if (!account || hash !== passwordHash) throw invalidCredentials()
  if (account.user.status !== 'active') throw accountDisabled()
  return account
}

async function secondFactorDue(ctx: Ctx, { userId, method, tenantId }: ProvenSignIn): Promise<SignInAnswer> {
  const challenge_token = await signChallenge(ctx, { sub: userId, method, tid: tenantId ?? null })
  return { two_factor_required: true, challenge_token }
}

async function enter(
  ctx: Ctx,
  { method, attempt, inCookie = false }: ProvenSignIn,
  { user, admission, isFirst }: { user: UserRow; admission: Admission; isFirst: boolean },
): Promise<SignedIn> {
  const { tenant } = admission
  const [{ sessionId, ...tokens }, signedInAt] = await Promise.all([
    openSession(ctx, { userId: user.id, admission, inCookie }),
    recordLogin(ctx, user.id, tenant?.id ?? null),
    greetDevice(ctx, user, isFirst),
    attempt && clearFailures(ctx, attempt),
  ])
  await ctx.emit(signedIn, { id: user.id, label: user.name, storeId: null, after: { method, session_id: sessionId } })
  return { user: presentUser(user, signedInAt), tenant: tenant && presentTenant(tenant), ...tokens }
}

/** Tells a person of a sign-in from a device that they have not used before, unless it is their first one ever. */
async function greetDevice(ctx: Ctx, user: UserRow, isFirst: boolean): Promise<void> {
  const isNew = await upsertKnownDevice(ctx.tx, user.id, fingerprintOf(ctx), ctx.clock.now())
  if (!isNew || isFirst) return
  const { ipAddress, userAgent } = ctx.origin
  const data = { name: user.name, at: ctx.clock.now(), device: deviceName(userAgent), ipAddress }
  await ctx.mail(newSignInMail, { ...recipient(user), data })
}

/** Where and how a person is written to. */
export function recipient({ email, locale, timezone }: Pick<UserRow, 'email' | 'locale' | 'timezone'>) {
  return { to: email, locale, timezone }
}

/** A person as the record names them. */
export function actorOf(user: Pick<UserRow, 'id' | 'name'>): Actor {
  return { type: 'user', id: user.id, label: user.name, impersonatorId: null }
}
