import { DAYS, momentAfter } from '#kernel'
import { isFree, MONTHS } from './plans.ts'
import type { State } from './states.ts'
import type { Interval } from './table.ts'

/** A coming end is announced this long before. */
export const WARNING_MS = 3 * DAYS

/** What the clock does next to a subscription, and when; null: nothing, ever. */
export interface Deadline {
  name: 'warned' | 'trial_ended' | 'period_ended' | 'grace_ended'
  at: string
}

export function deadlineOf(state: State): Deadline | null {
  const end = endOf(state)
  if (!end) return null
  return isWorthWarning(state) && !state.is_warned ? { name: 'warned', at: before(end.at) } : end
}

/** When and how the present state ends by itself. */
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

/** Whether the end is more than the beginning of another period. */
function isWorthWarning({ status, cancel_at_period_end, pending_plan, plan }: State): boolean {
  if (cancel_at_period_end || status === 'past_due') return true
  return status === 'trialing' && !isFree(pending_plan ?? plan)
}

const before = (moment: string) => momentAfter(moment, -WARNING_MS)

/**
 * The same day so many months later, at the same time of day in UTC; the last day of a month that is too short for it.
 * Always counted from the first day: 31 January, 28 February, 31 March.
 */
export function addMonths(anchor: string, months: number): string {
  const from = new Date(anchor)
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const day = Math.min(from.getUTCDate(), lastDay)
  const timeOfDay = from.getTime() - Date.UTC(year, from.getUTCMonth(), from.getUTCDate())
  return new Date(Date.UTC(year, month, 1) + (day - 1) * DAYS + timeOfDay).toISOString()
}

/** The end of the period that `start` begins, where periods begin on the day of `anchor`. */
export function periodEnd(anchor: string, interval: Interval, start: string): string {
  const step = MONTHS[interval]
  // The turn before the one that the calendar suggests, because the days may stand the other way round.
  for (let turn = Math.max(1, Math.floor(monthsBetween(anchor, start) / step)); ; turn++) {
    const end = addMonths(anchor, turn * step)
    if (end > start) return end
  }
}

function monthsBetween(one: string, other: string): number {
  const [from, to] = [new Date(one), new Date(other)]
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
}
