import { type Actor, type Ctx, fromNow, HOURS, permissionDenied } from '#kernel'
import { presentTenant, tenantSuspended } from '../../tenants/index.ts'
import { listUserTenants, presentUser, recordLogin, rolesOfOperator, type UserRow } from '../../users/index.ts'
import { accountDisabled, invalidCredentials } from '../errors.ts'
import { signedIn } from '../events.ts'
import { newSignInNotice } from '../notifications.ts'
import { type Account, findAccountById, lockAccountById, lockAccountToRehash, updatePassword } from '../queries.ts'
import type { SignedIn, SignInAnswer } from '../schema.ts'
import { type Admission, admit, type Refusal } from '../sessions/admission.ts'
import { upsertKnownDevice } from '../sessions/session-queries.ts'
import { openSession } from '../sessions/sessions.ts'
import { signChallenge } from '../tokens/access-tokens.ts'
import { deviceName, deviceWords, fingerprintOf, knowsDevice } from './devices.ts'
import { type Attempt, clearFailures, requireNotLocked } from './lockout.ts'

/** A person who has proven their identity. */
export interface ProvenSignIn {
  userId: string
  /** How they proved it, as the record shows it: `password`, `invitation`, `registration`, `sso`… */
  method: string
  /** The requested tenant; absent: the one last used, else the oldest, else none. */
  tenantId?: string | null
  /** The tenant last used, if it is known already. */
  homeTenantId?: string | null
  /** The stored hash that the password matched; it must be unchanged when the session opens. */
  passwordHash?: string
  /** Stored in its place when the session opens, or a second factor is asked for. Null: nothing. */
  freshHash?: string | null
  /** The attempt that failures are counted under; success clears them. */
  attempt?: Attempt
  /** True when a second factor was given too, or a live session that had given it. */
  secondFactorGiven?: boolean
  /** True when the session keeps its refresh tokens in a cookie; this never changes during its life. */
  inCookie?: boolean
}

/** The sign-in, or why this tenant refused; another tenant may accept. */
type Outcome = SignInAnswer | { refusal: Refusal }

/**
 * Every sign-in passes through this function. It checks the lockout, the person's status and second factor, chooses and
 * checks the tenant, opens the session, records it, and tells the person about a new device. It opens its own
 * transactions, so call it outside of any. Throws 403 `account_disabled`, `permission_denied` for a tenant that isn't
 * theirs, `tenant_suspended`; 429 `too_many_attempts`.
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
  /** Set when only suspended tenants are left: only operators may then sign in without a tenant. */
  unlessSuspended?: boolean
}

/** Reads everything that decides about the sign-in in the transaction that opens the session. */
function signInto(ctx: Ctx, signIn: Entry, tenantId: string | null): Promise<Outcome> {
  return ctx.transaction(
    async (ctx) => {
      const [account, admission] = await Promise.all([requireAccount(ctx, signIn), admit(ctx, signIn.userId)])
      const { user } = account
      if (user.two_factor_enabled && !signIn.secondFactorGiven) {
        await storeFreshHash(ctx, signIn)
        return secondFactorDue(ctx, signIn)
      }
      if (typeof admission === 'string') return { refusal: admission }
      if (signIn.unlessSuspended && rolesOfOperator(user).length === 0) return { refusal: 'suspended' as const }
      await storeFreshHash(ctx, signIn)
      return enter(ctx.as(actorOf(user)), signIn, account, admission)
    },
    { tenantId },
  )
}

/** A person's account, and whether failures are counted that their success may clear. */
type OpenAccount = Account & { hasFailures: boolean }

async function requireAccount(ctx: Ctx, signIn: ProvenSignIn): Promise<OpenAccount> {
  const { userId, passwordHash, freshHash, attempt } = signIn
  const find = passwordHash === undefined ? findAccountById : freshHash ? lockAccountToRehash : lockAccountById
  const found = find(ctx.tx, userId, fingerprintOf(ctx))
  const [account, hasFailures = false] = await Promise.all([
    found,
    attempt && requireNotLocked(ctx, attempt, () => knowsDevice(found)),
  ])
  // The password was changed while this one was being checked.
  if (!account || (passwordHash !== undefined && account.passwordHash !== passwordHash)) throw invalidCredentials()
  if (account.user.status !== 'active') throw accountDisabled()
  return { ...account, hasFailures }
}

/** In place of the hash that the password matched, and of no other: that one is locked. */
async function storeFreshHash({ tx }: Ctx, { userId, passwordHash, freshHash }: ProvenSignIn): Promise<void> {
  if (passwordHash === undefined || !freshHash) return
  if (!(await updatePassword(tx, userId, passwordHash, { hash: freshHash }))) throw invalidCredentials()
}

async function secondFactorDue(ctx: Ctx, { userId, method, tenantId }: ProvenSignIn): Promise<SignInAnswer> {
  const challenge_token = await signChallenge(ctx, { sub: userId, method, tid: tenantId ?? null })
  return { two_factor_required: true, challenge_token }
}

async function enter(
  ctx: Ctx,
  { method, attempt, inCookie = false }: ProvenSignIn,
  account: OpenAccount,
  admission: Admission,
): Promise<SignedIn> {
  const { user } = account
  const { tenant } = admission
  const [{ sessionId, ...tokens }, signedInAt] = await Promise.all([
    openSession(ctx, { userId: user.id, admission, inCookie }),
    recordLogin(ctx, user.id, tenant?.id ?? null),
    greetDevice(ctx, account),
    account.hasFailures && attempt && clearFailures(ctx, attempt),
  ])
  await ctx.emit(signedIn, { id: user.id, label: user.name, storeId: null, after: { method, session_id: sessionId } })
  return { user: presentUser(ctx, user, signedInAt), tenant: tenant && presentTenant(ctx, tenant), ...tokens }
}

/** The last sign-in from a device is stored with this precision. */
const SEEN_WITHIN_MS = 1 * HOURS

/** Tells a person about a sign-in from a new device, unless it is their first sign-in. */
async function greetDevice(ctx: Ctx, { user, lastLoginAt, deviceSeenAt }: Account): Promise<void> {
  const now = ctx.clock.now()
  if (deviceSeenAt !== null && deviceSeenAt <= now && deviceSeenAt > fromNow(ctx.clock, -SEEN_WITHIN_MS)) return
  const isNew = await upsertKnownDevice(ctx.tx, user.id, fingerprintOf(ctx), now)
  if (!isNew || lastLoginAt === null) return
  const { ipAddress, userAgent } = ctx.origin
  const data = { at: now, device: deviceName(userAgent), ...deviceWords(userAgent), ip_address: ipAddress }
  await ctx.notify(newSignInNotice, { to: [user], data })
}

/** A person as the actor of records. */
export function actorOf(user: Pick<UserRow, 'id' | 'name'>): Actor {
  return { type: 'user', id: user.id, label: user.name, impersonatorId: null }
}
