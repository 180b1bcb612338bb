import { AppError, type Ctx, DAYS, type ErrorKind, fromNow, HOURS, permissionDenied, sha256 } from '#kernel'
import { tenantSuspended } from '../../tenants/index.ts'
import { accountDisabled, tooManyAttempts } from '../errors.ts'
import { deviceName } from '../sign-in/devices.ts'
import { type Attempt, accountKey } from '../sign-in/lockout.ts'
import { upsertRefusals } from './refusal-queries.ts'

/** Why somebody was not let in, as operators are told. */
export const REFUSALS = [
  'wrong_password',
  'no_password',
  'unknown_address',
  'locked_out',
  'account_disabled',
  'tenant_suspended',
  'not_a_member',
  'link_expired',
  'link_used',
  'rate_limited',
] as const // the words are the type
export type Refusal = (typeof REFUSALS)[number]

/** For how long they are kept. */
export const REFUSALS_KEPT_MS = 14 * DAYS
/** What comes later than this after the last one is counted anew. */
export const SERIES_MS = 24 * HOURS

type Tried = Pick<Attempt, 'email' | 'network' | 'sessionId'>

const REASONS: ReadonlyMap<ErrorKind, Refusal> = new Map([
  [tooManyAttempts, 'locked_out'],
  [accountDisabled, 'account_disabled'],
  [tenantSuspended, 'tenant_suspended'],
  [permissionDenied, 'not_a_member'],
])

/** Does a part of a way in, and notes why it was refused, where that is one of the reasons that people ask about. */
export async function noting<T>(ctx: Ctx, tried: Tried, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const reason = error instanceof AppError ? REASONS.get(error.kind) : undefined
    if (reason) await noteAside(ctx, tried, reason)
    throw error
  }
}

/** Notes a refusal in a transaction of its own. That it could not be noted is logged, and changes nothing about the refusal. */
export async function noteAside(ctx: Ctx, tried: Tried, reason: Refusal): Promise<void> {
  try {
    await ctx.transaction((ctx) => noteRefusal(ctx, tried, reason), { tenantId: null })
  } catch (error) {
    ctx.log.warn({ err: error, reason }, 'why a sign-in was refused could not be noted')
  }
}

/** Notes a refusal in the transaction of the context. Of whoever is signed in, nothing: they are in, and prove a password again. */
export async function noteRefusal(ctx: Ctx, { email, network, sessionId }: Tried, reason: Refusal): Promise<void> {
  if (email === null || sessionId !== null) return
  const now = ctx.clock.now()
  const { ipAddress, userAgent } = ctx.origin
  const seen = { device: deviceName(userAgent), ip_address: ipAddress }
  const refusal = { account: accountKey(email), reason, place: placeOf(network), attempts: 1, ...seen }
  await upsertRefusals(ctx.tx, [{ ...refusal, first_at: now, last_at: now }], fromNow(ctx.clock, -SERIES_MS))
}

export const placeOf = (network: string | null): string => sha256(network ?? '').toString('base64url')
