import { type Clock, fromNow, SECONDS } from '../clock.ts'

/** When an attempt that failed is repeated, and until when. */
export interface RetryPolicy {
  /** Milliseconds before the first repetition, the second …; an eighth more or less is left to chance. */
  readonly delaysMs: readonly number[]
  /** After the last of these delays: it comes again and again, or there is no further attempt. */
  readonly lastRepeats: boolean
  /** Given up after so long without a success, however many attempts there were. Default: never. */
  readonly giveUpMs?: number
}

/** Milliseconds until the attempt after so many failures in a row (1: the first one); null when there is none. */
export function retryDelayMs({ delaysMs, lastRepeats }: RetryPolicy, failures: number): number | null {
  const delay = delaysMs[failures - 1] ?? (lastRepeats ? delaysMs.at(-1) : undefined)
  return delay === undefined ? null : Math.round(delay * (0.875 + Math.random() / 4))
}

/** What a row keeps of attempts that failed since the last success. */
export interface FailureColumns {
  failures: number
  failing_since: string | null
  last_error: string | null
  /** Not before then. */
  next_attempt_at: string | null
}

export const NO_FAILURES = {
  failures: 0,
  failing_since: null,
  last_error: null,
  next_attempt_at: null,
} satisfies FailureColumns

/** What a row keeps after one more failure, now; `next_attempt_at` null: the policy gives up. */
export function afterFailure(
  { failures: before, failing_since: since }: Pick<FailureColumns, 'failures' | 'failing_since'>,
  last_error: string,
  clock: Clock,
  policy: RetryPolicy,
): FailureColumns {
  const now = clock.now()
  const failing_since = since ?? now
  const failures = before + 1
  const isOver = Date.parse(now) - Date.parse(failing_since) >= (policy.giveUpMs ?? Number.POSITIVE_INFINITY)
  const delay = isOver ? null : retryDelayMs(policy, failures)
  return { failures, failing_since, last_error, next_attempt_at: delay === null ? null : fromNow(clock, delay) }
}

/** What `Retry-After` asks for, in milliseconds from now, however long that is: seconds or a date. Null for anything else. */
export function readRetryAfter(header: string | string[] | undefined, clock: Clock): number | null {
  if (typeof header !== 'string') return null
  if (/^\d{1,10}$/.test(header)) return Number(header) * SECONDS
  // The one form of a date that is still sent; what else `Date` understands is guessing.
  const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header)
    ? Date.parse(header)
    : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - clock.ms())
}
