import { createHash } from 'node:crypto'
import { type Ctx, fromNow, MINUTES, SECONDS } from '#kernel'
import { normalizeEmail } from '../users/index.ts'
import { tooManyAttempts } from './errors.ts'
import { networkOf } from './networks.ts'
import { deleteFailures, listFailures, upsertFailures } from './queries.ts'
import type { LoginFailureRow } from './table.ts'

const WINDOW_MS = 15 * MINUTES
const ACCOUNT_LIMIT = 10
const ADDRESS_LIMIT = 100

/** What one attempt to prove a secret is counted under; null: not counted under that. */
export interface Attempt {
  account: string | null
  address: string | null
}

/**
 * An attempt on the account of an e-mail address. The key is a hash of the address whether or not there is an account,
 * so that being locked out tells nothing.
 */
export function attemptOn(ctx: Ctx, email: string): Attempt {
  return { account: keyOf('account', normalizeEmail(email) ?? email), address: attemptFrom(ctx).address }
}

/** An attempt that names no account: a bootstrap token. */
export function attemptFrom(ctx: Ctx): Attempt {
  const network = networkOf(ctx.origin.ipAddress, { v4: 32, v6: 64 })
  return { account: null, address: network && keyOf('address', network) }
}

function keyOf(kind: 'account' | 'address', subject: string): string {
  return `${kind}:${createHash('sha256').update(subject).digest('base64url')}`
}

/** Throws 429 `too_many_attempts` while too many attempts like this one have failed. */
export async function requireNotLocked(ctx: Ctx, attempt: Attempt): Promise<void> {
  if (ctx.config.rateLimitFactor === 0) return
  const now = ctx.clock.now()
  const failures = await listFailures(ctx.tx, keysOf(attempt), now)
  const locked = failures.filter((row) => row.failures >= limitOf(ctx, row.key))
  if (locked.length > 0) throw locking(ctx, locked)
}

/**
 * Counts a failed attempt; the transaction must be committed for it to count. Returns the error to throw when it was one
 * too many: of any number of simultaneous wrong guesses only as many as the limit learn that they were wrong.
 */
export async function countFailure(
  ctx: Ctx,
  attempt: Attempt,
): Promise<ReturnType<typeof tooManyAttempts> | undefined> {
  if (ctx.config.rateLimitFactor === 0) return undefined
  const failures = await upsertFailures(ctx.tx, keysOf(attempt), ctx.clock.now(), fromNow(ctx.clock, WINDOW_MS))
  const locked = failures.filter((row) => row.failures > limitOf(ctx, row.key))
  return locked.length > 0 ? locking(ctx, locked) : undefined
}

/** A success clears the account's failures. Those of the address stay: its next guess may be at another account. */
export async function clearFailures(ctx: Ctx, attempt: Attempt): Promise<void> {
  if (attempt.account !== null) await deleteFailures(ctx.tx, attempt.account)
}

// Sorted, so that two transactions take the rows' locks in the same order.
function keysOf({ account, address }: Attempt): string[] {
  return [account, address].filter((key) => key !== null).sort()
}

function limitOf(ctx: Ctx, key: string): number {
  const limit = key.startsWith('account:') ? ACCOUNT_LIMIT : ADDRESS_LIMIT
  return Math.max(1, Math.round(limit * ctx.config.rateLimitFactor))
}

function locking(ctx: Ctx, locked: LoginFailureRow[]) {
  const until = Math.max(...locked.map((row) => Date.parse(row.window_ends_at)))
  const seconds = Math.max(1, Math.ceil((until - ctx.clock.ms()) / SECONDS))
  return tooManyAttempts({ headers: { 'retry-after': String(seconds) } })
}
