import { type AppError, type Ctx, fromNow, HOURS, MINUTES, networkOf, SECONDS, sha256 } from '#kernel'
import { normalizeEmail } from '../../users/index.ts'
import { tooManyAttempts } from '../errors.ts'
import type { LoginFailureRow } from '../table.ts'
import { fingerprintOf } from './devices.ts'
import {
  type Delay,
  deleteFailures,
  deleteFailuresOf,
  findUserOnDevice,
  listFailures,
  listFailuresOf,
  updateFailuresTaken,
  upsertDelayed,
  upsertFailures,
  type Window,
} from './failure-queries.ts'

const STOP_MS = 15 * MINUTES
/** Failed attempts at one account from one place, known device or session before that place is locked out. */
const PLACE_LIMIT = 10
/** Failed attempts from one address at any accounts before it is locked out. */
const ADDRESS_LIMIT = 100

const MEMORY_MS = 24 * HOURS
/**
 * Guesses at one account from anywhere: 20 are free, then each has to wait, from half a minute growing to twenty. That
 * allows fewer than a hundred in any 24 hours.
 */
const DELAY = { free: 20, firstMs: 30 * SECONDS, longestMs: 20 * MINUTES }

/** The clocks of two processes may differ by this much. */
const SKEW_MS = 1 * MINUTES

/** Identifies an attempt to prove a secret: failures are counted by these fields. */
export interface Attempt {
  /** The normalised address of the account, whether or not it exists; null: the attempt names no account. */
  email: string | null
  /** Null: unknown. */
  network: string | null
  fingerprint: string
  /** Set when a live session of the account itself makes the attempt. */
  sessionId: string | null
}

/** An attempt on the account of an e-mail address, by whoever is calling. */
export function attemptOn(ctx: Ctx, email: string): Attempt {
  return { ...attemptFrom(ctx), email: normalizeEmail(email) ?? email }
}

/** An attempt by a signed-in person on their own account, which failures elsewhere do not block. */
export function attemptInSession(ctx: Ctx, email: string): Attempt {
  return { ...attemptOn(ctx, email), sessionId: ctx.principal?.sessionId ?? null }
}

/** An attempt that names no account: a bootstrap token. */
export function attemptFrom(ctx: Ctx): Attempt {
  const network = networkOf(ctx.origin.ipAddress, { v4: 32, v6: 64 })
  return { email: null, network, fingerprint: fingerprintOf(ctx), sessionId: null }
}

/** The counters of an attempt. Keys are hashes, so that the table holds no addresses. */
interface Counters {
  /** Counters that block this attempt. */
  stops: string[]
  /** Counters that it raises but that block only other attempts. */
  others: string[]
  /** The counter that makes each further guess wait longer. */
  delays: string | null
}

function countersOf({ email, network, fingerprint, sessionId }: Attempt, isKnown: boolean): Counters {
  const address = network === null ? [] : [keyOf('address', network)]
  if (email === null) return { stops: address, others: [], delays: null }
  if (sessionId !== null)
    return { stops: [keyOf('session', sessionId)], others: address, delays: keyOf('session-day', sessionId) }
  if (isKnown)
    return {
      stops: [keyOf('device', email, fingerprint)],
      others: address,
      delays: keyOf('device-day', email, fingerprint),
    }
  return { stops: [keyOf('place', email, network ?? ''), ...address], others: [], delays: accountKey(email) }
}

/** What counts and notes about an account are found by: a hash of its address in the form of comparing. */
export const accountKey = (email: string): string => keyOf('account', email)

function keyOf(kind: string, ...subject: string[]): string {
  return `${kind}:${sha256(JSON.stringify(subject)).toString('base64url')}`
}

async function isKnown({ tx }: Ctx, { email, fingerprint, sessionId }: Attempt): Promise<boolean> {
  if (email === null || sessionId !== null) return false
  return (await findUserOnDevice(tx, email, fingerprint)) !== undefined
}

/**
 * Throws 429 `too_many_attempts` while too many attempts like this one have failed. False: none has that is still counted.
 * `onDevice` tells whether the account knows the device, for who asks that anyway; it is not called where lockouts are off.
 */
export async function requireNotLocked(
  ctx: Ctx,
  attempt: Attempt,
  onDevice = () => isKnown(ctx, attempt),
): Promise<boolean> {
  if (ctx.config.rateLimitFactor === 0) return false
  const either = [countersOf(attempt, false), countersOf(attempt, true)]
  const keys = either.flatMap(({ stops, delays }) => (delays === null ? stops : [...stops, delays]))
  const [known, rows] = await Promise.all([onDevice(), listFailures(ctx.tx, [...new Set(keys)])])
  const { stops, delays } = countersOf(attempt, known)
  const until = rows.flatMap((row) => {
    if (row.key === delays) return waitOf(ctx, row)
    return stops.includes(row.key) && isOpen(ctx, row, STOP_MS) && row.failures >= limitOf(ctx, row.key)
      ? [row.window_ends_at]
      : []
  })
  if (until.length > 0) throw locking(ctx, until)
  return rows.length > 0
}

/** The result of counting a failed attempt. */
export interface CountedFailure {
  /** The error to throw when a limit was exceeded: the caller must not learn whether the secret was right. */
  refusal?: AppError
  /** True once, when an account has so many failures from unknown places that it is under attack. */
  isUnderAttack: boolean
}

/**
 * Counts a failed attempt; commit the transaction for it to count. Of simultaneous wrong guesses only as many as the
 * limits allow learn that they were wrong.
 */
export async function countFailure(ctx: Ctx, attempt: Attempt): Promise<CountedFailure> {
  if (ctx.config.rateLimitFactor === 0) return { isUnderAttack: false }
  const { stops, others, delays } = countersOf(attempt, await isKnown(ctx, attempt))
  const account = attempt.email === null ? null : accountKey(attempt.email)
  // Sorted, so that all transactions lock the rows in the same order.
  const counted = [...stops, ...others].sort().map((key) => ({ key, account: isOfAddress(key) ? null : account }))
  const rows = counted.length > 0 ? await upsertFailures(ctx.tx, counted, windowOf(ctx, STOP_MS)) : []
  const stopped = rows.filter((row) => stops.includes(row.key) && row.failures > limitOf(ctx, row.key))
  const until = stopped.map((row) => row.window_ends_at)
  if (until.length > 0) return { refusal: locking(ctx, until), isUnderAttack: false }
  return delays === null ? { isUnderAttack: false } : countDelayed(ctx, { key: delays, account })
}

async function countDelayed(ctx: Ctx, counter: { key: string; account: string | null }): Promise<CountedFailure> {
  const delay = delayOf(ctx)
  const row = await upsertDelayed(ctx.tx, counter, windowOf(ctx, MEMORY_MS), delay)
  if (row) return { isUnderAttack: row.key === counter.account && row.failures === delay.free }
  const until = (await listFailures(ctx.tx, [counter.key])).flatMap((row) => waitOf(ctx, row))
  return { refusal: locking(ctx, until), isUnderAttack: false }
}

/**
 * Clears the counters of the device or session after a success and subtracts the failures of its place. Failures of
 * other places stay, as does the counter of the address: its next guess may be at another account.
 */
export async function clearFailures(ctx: Ctx, attempt: Attempt): Promise<void> {
  const { email, sessionId } = attempt
  if (email === null) return
  const place = countersOf(attempt, false)
  const device = countersOf(attempt, true)
  const own = [...place.stops, ...device.stops, ...(device.delays === null ? [] : [device.delays])]
  const gone = await deleteFailures(ctx.tx, [...new Set(own)].filter((key) => !isOfAddress(key)).sort())
  if (sessionId !== null) return
  const failures = gone
    .filter(({ key }) => place.stops.includes(key))
    .reduce((sum, row) => sum + Math.min(row.failures, limitOf(ctx, row.key)), 0)
  if (failures > 0) await updateFailuresTaken(ctx.tx, accountKey(email), { failures, free: delayOf(ctx).free })
}

/** Clears all counters of an account, for its proven owner. */
export async function clearAccount(ctx: Ctx, email: string): Promise<void> {
  await deleteFailuresOf(ctx.tx, accountKey(normalizeEmail(email) ?? email))
}

/** Until when attempts on an account are refused from some place, device or session; null: from none. */
export async function findLockedUntil(ctx: Ctx, email: string): Promise<string | null> {
  const lockouts = await listLockouts(ctx, email)
  return (
    lockouts
      .map(({ until }) => until)
      .sort()
      .at(-1) ?? null
  )
}

const isOfAddress = (key: string) => key.startsWith('address:')

function limitOf(ctx: Ctx, key: string): number {
  return scaled(ctx, isOfAddress(key) ? ADDRESS_LIMIT : PLACE_LIMIT)
}

function delayOf(ctx: Ctx): Delay {
  return { ...DELAY, free: scaled(ctx, DELAY.free) }
}

const scaled = ({ config }: Ctx, limit: number) => Math.max(1, Math.round(limit * config.rateLimitFactor))

function windowOf({ clock }: Ctx, lengthMs: number): Window {
  const [now, latest] = [clock.now(), fromNow(clock, lengthMs + SKEW_MS)]
  return { now, endsAt: fromNow(clock, lengthMs), latest }
}

function isOpen(ctx: Ctx, row: LoginFailureRow, lengthMs: number): boolean {
  const { now, latest } = windowOf(ctx, lengthMs)
  return row.window_ends_at > now && row.window_ends_at <= latest
}

/** When the next guess is allowed, if it has to wait. */
function waitOf(ctx: Ctx, row: LoginFailureRow): string[] {
  return row.next_at !== null && row.next_at > ctx.clock.now() && isOpen(ctx, row, MEMORY_MS) ? [row.next_at] : []
}

function locking(ctx: Ctx, until: readonly string[]): AppError {
  const seconds = Math.ceil((Math.max(...until.map(Date.parse)) - ctx.clock.ms()) / SECONDS)
  return tooManyAttempts({ headers: { 'retry-after': String(Math.max(1, seconds)) } })
}

/** A lockout that is in force. */
export interface Lockout {
  /** When the next guess is answered again. */
  until: string
  /** `place`: from one network, device or session; `account`: from anywhere that it does not know. */
  of: 'place' | 'account'
}

/** What keeps the owner of an address from guessing at their password now; of the network address itself nothing is said. */
export async function listLockouts(ctx: Ctx, email: string): Promise<Lockout[]> {
  if (ctx.config.rateLimitFactor === 0) return []
  const account = accountKey(normalizeEmail(email) ?? email)
  const rows = await listFailuresOf(ctx.tx, account)
  return rows.flatMap((row): Lockout[] => {
    const [wait] = waitOf(ctx, row)
    if (wait !== undefined) return [{ until: wait, of: row.key === account ? 'account' : 'place' }]
    // The counters of a day have no stop, only a wait.
    const isFull = !/^(?:account|[a-z]+-day):/.test(row.key) && row.failures >= limitOf(ctx, row.key)
    return isFull && isOpen(ctx, row, STOP_MS) ? [{ until: row.window_ends_at, of: 'place' }] : []
  })
}
