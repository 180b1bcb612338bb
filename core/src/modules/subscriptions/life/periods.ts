import { DAYS, momentAfter, momentAt } from '#kernel'
import { isFree, MONTHS } from '../plans.ts'
import type { Interval } from '../table.ts'
import type { State } from './states.ts'

/** How many days before an end it is announced; the end of a trial once. */
const WARNING_DAYS = [7, 3, 1]
const TRIAL_WARNING_DAYS = [3]

/** The next change that time causes and when; null: none. */
export interface Deadline {
  name: 'warned' | 'trial_ended' | 'period_ended' | 'grace_ended'
  at: string
}

export function deadlineOf(state: State): Deadline | null {
  const end = endOf(state)
  if (!end) return null
  const days = nextWarning(state)
  return days === null ? end : { name: 'warned', at: momentAfter(end.at, -days * DAYS) }
}

/** How many days before the end it is warned of next; null: not any more. */
export function nextWarning(state: State): number | null {
  if (!isWorthWarning(state)) return null
  const isTrial = state.status === 'trialing' && !state.cancel_at_period_end
  const { warned_days } = state
  return (
    (isTrial ? TRIAL_WARNING_DAYS : WARNING_DAYS).find((days) => warned_days === null || days < warned_days) ?? null
  )
}

/** When and how the current state ends by itself. */
export function endOf(state: State): Deadline | null {
  switch (state.status) {
    case 'trialing':
      // A trial has an end; the column is null only in states without one.
      return { name: 'trial_ended', at: state.trial_ends_at ?? state.current_period_end }
    case 'active':
      return { name: 'period_ended', at: state.current_period_end }
    case 'past_due':
      return { name: 'grace_ended', at: state.grace_ends_at ?? state.current_period_end } // set in this state
    default:
      return null
  }
}

/** Whether the end changes more than the period number, so that the tenant should know. */
function isWorthWarning({ status, cancel_at_period_end, pending_plan, plan }: State): boolean {
  if (cancel_at_period_end || status === 'past_due') return true
  return status === 'trialing' && !isFree(pending_plan ?? plan)
}

/**
 * The same day and UTC time so many months later, or the last day of a shorter month. Counted from the first day, so
 * that 31 January is followed by 28 February and 31 March.
 */
export function addMonths(anchor: string, months: number): string {
  const from = new Date(anchor)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const day = Math.min(from.getUTCDate(), lastDay)
  const timeOfDay = from.getTime() - Date.UTC(year, from.getUTCMonth(), from.getUTCDate())
  return momentAt(Date.UTC(year, month, 1) + (day - 1) * DAYS + timeOfDay)
}

/** The end of the period that starts at `start`, where periods start on the day of `anchor`. */
export function periodEnd(anchor: string, interval: Interval, start: string): string {
  const step = MONTHS[interval]
  // Starts one step early, because the day of `start` may be before that of `anchor`.
  for (let turn = Math.max(1, Math.floor(monthsBetween(anchor, start) / step)); ; turn++) {
    const end = addMonths(anchor, turn * step)
    if (end > start) return end
  }
}

function monthsBetween(one: string, other: string): number {
  const [from, to] = [new Date(one), new Date(other)]
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
}
