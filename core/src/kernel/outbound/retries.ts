import { type Clock, fromNow, SECONDS } from '../clock.ts'

/** When a failed attempt is repeated, and for how long. */
export interface RetryPolicy {
  /** Milliseconds before the first, second … repetition; each varies randomly by an eighth. */
  readonly delaysMs: readonly number[]
  /** Whether the last delay repeats; otherwise there is no further attempt. */
  readonly lastRepeats: boolean
  /** Given up after this time without a success. Default: never. */
  readonly giveUpMs?: number
}

/**
 * The delay after so many consecutive failures (1: the first one), in milliseconds; null when there is no further
 * attempt.
 */
export function retryDelayMs({ delaysMs, lastRepeats }: RetryPolicy, failures: number): number | null {
  const delay = delaysMs[failures - 1] ?? (lastRepeats ? delaysMs.at(-1) : undefined)
  return delay === undefined ? null : Math.round(delay * (0.875 + Math.random() / 4))
}

/** Columns of a row for failures since the last success. */
export interface FailureColumns {
  failures: number
  failing_since: string | null
  last_error: string | null
  /** The next attempt is not before this time. */
  next_attempt_at: string | null
}

export const NO_FAILURES = {
  failures: 0,
  failing_since: null,
  last_error: null,
  next_attempt_at: null,
} satisfies FailureColumns

/** The columns after another failure now; `next_attempt_at` null: the policy gives up. */
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

/** The delay requested by `Retry-After` in milliseconds, of any length: seconds or a date. Null for anything else. */
export function readRetryAfter(header: string | string[] | undefined, clock: Clock): number | null {
  if (typeof header !== 'string') return null
  if (/^\d{1,10}$/.test(header)) return Number(header) * SECONDS
  // The only date format still in use; for others `Date` would guess.
  const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(header)
    ? Date.parse(header)
    : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - clock.ms())
}
