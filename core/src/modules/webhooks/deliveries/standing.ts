import { type Ctx, DAYS, fromNow, greatest, HOURS, MINUTES, momentAfter, SECONDS } from '#kernel'
import type { WebhookChange } from '../queries.ts'
import type { WebhookRow } from '../table.ts'
import { paceOf } from './pace.ts'
import { isExpired, type Try } from './try-all.ts'

/** Switched off after so long and so many attempts of which none succeeded; its people are told at half of both. */
export const OFF_AFTER = { ms: 5 * DAYS, attempts: 20 }
/** How often the receiver of a webhook that switched itself off is tried. */
export const TRIAL_EVERY_MS = 1 * HOURS
/** And for how long. */
export const TRIED_FOR_MS = 30 * DAYS
/** However long a receiver asks to be left alone. */
export const LONGEST_PAUSE_MS = 24 * HOURS
/** How long a receiver is left alone that has too much to do and does not say for how long. */
const THROTTLED_MS = 5 * SECONDS
/** So many attempts without any answer, which each may have waited for, and it is left alone; then for twice as long. */
const PATIENCE = 5
const LONGEST_REST_MS = 5 * MINUTES

export interface Standing {
  columns: WebhookChange
  /** Its people are to be told that it fails. */
  isTold: boolean
  isDisabled: boolean
}

/** What follows for a webhook from attempts that were just made where it leads. */
export function standingAfter({ clock }: Pick<Ctx, 'clock'>, before: WebhookRow, made: readonly Try[]): Standing {
  const next_attempt_at = pauseAfter(clock, before, made)
  const tries = made.filter(({ delivery }) => !isExpired(delivery))
  // What is off is tried by tests alone, which change nothing about that.
  if (!before.is_active || tries.length === 0) return { columns: { next_attempt_at }, isTold: false, isDisabled: false }
  const isGone = tries.some(({ status }) => status === 410)
  if (!isGone && tries.some(({ error }) => error === null))
    return {
      columns: { failures: 0, failing_since: null, last_error: null, told_at: null, next_attempt_at },
      isTold: false,
      isDisabled: false,
    }
  const now = clock.now()
  const failures = before.failures + tries.length
  const failing_since = before.failing_since ?? now
  const last_error = tries.findLast(({ error }) => error !== null)?.error ?? null
  const lastedMs = clock.ms() - Date.parse(failing_since)
  const isPast = (share: number) => failures >= OFF_AFTER.attempts * share && lastedMs >= OFF_AFTER.ms * share
  const isDisabled = isGone || isPast(1)
  const isTold = before.told_at === null && isPast(0.5)
  return {
    columns: {
      failures,
      failing_since,
      last_error,
      next_attempt_at,
      ...(isTold && { told_at: now }),
      ...(isDisabled && {
        is_active: false,
        disabled_reason: isGone ? 'gone' : 'failing',
        off_since: now,
        trial_at: isGone ? null : fromNow(clock, TRIAL_EVERY_MS),
        updated_at: now,
      }),
    },
    isTold,
    isDisabled,
  }
}

/** Until when nothing more is sent: the receiver asked for it, has too much to do, is not there, or has its rate. */
function pauseAfter(clock: Ctx['clock'], webhook: WebhookRow, tries: readonly Try[]): string | null {
  const pauses = tries.flatMap(({ status, error, retryAfterMs }) => {
    if (error === null) return []
    if (retryAfterMs !== null) return [Math.min(retryAfterMs, LONGEST_PAUSE_MS)]
    return status === 429 || status === 502 || status === 504 ? [THROTTLED_MS] : []
  })
  const until = pauses.map((ms) => fromNow(clock, ms))
  if (tries.length > 0 && tries.every(({ status }) => status === null)) {
    const rounds = Math.floor((webhook.failures + tries.length) / PATIENCE)
    if (rounds > 0) until.push(fromNow(clock, Math.min(THROTTLED_MS * 2 ** (rounds - 1), LONGEST_REST_MS)))
  }
  return greatest(...until, ...pausesOfRate(webhook, tries))
}

/** When it leads elsewhere than these went: its rate holds there too, and nothing else follows. */
export const standingElsewhere = (before: WebhookRow, tries: readonly Try[]): Standing => ({
  columns: { next_attempt_at: greatest(before.next_attempt_at, ...pausesOfRate(before, tries)) },
  isTold: false,
  isDisabled: false,
})

function pausesOfRate(webhook: WebhookRow, tries: readonly Try[]): string[] {
  const { pauseMs } = paceOf(webhook)
  return pauseMs > 0 ? tries.map(({ at }) => momentAfter(at, pauseMs)) : []
}
