import { DAYS, momentAfter } from '#kernel'
import { isFree } from './prices.ts'
import type { State } from './states.ts'

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
