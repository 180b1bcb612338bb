import { MONTHS } from './months.ts'
import type { State } from './states.ts'
import type { PlanRow } from './table.ts'

export const isFree = ({ price_cents }: Pick<PlanRow, 'price_cents'>): boolean => price_cents === 0

/**
 * Whether a change of plan waits for the end of the period unless `now` is asked for: it leads to less, by what is paid
 * for the same time, or to the same; or it would throw away what is paid for already. Anything else is an upgrade.
 */
export function isDowngrade({ plan: from, status }: State, to: PlanRow): boolean {
  if (isFree(from) !== isFree(to)) return isFree(to)
  // Amounts in different currencies cannot be compared, nor can what is paid in one be taken off the other.
  if (from.currency !== to.currency) return true
  if (status === 'active' && MONTHS[to.interval] < MONTHS[from.interval]) return true
  return perYear(to) <= perYear(from)
}

const perYear = ({ price_cents, interval }: PlanRow) => price_cents * (12 / MONTHS[interval])

/** What a change of plan at this moment means in money, each in minor units of its plan. */
export interface Settlement {
  /** To be paid at once, in the currency of the new plan. */
  due: number
  /** Of what is paid already, that which is lost, in the currency of the plan of now: nothing is paid back. */
  dropped: number
}

/**
 * What a change of plan costs at this moment. Within a period of the same length it is the price of what is left of it;
 * where the length changes, a new period begins. What is left of the old one is taken off, as far as it goes and in the
 * same currency. A trial costs nothing.
 */
export function settlementOf(state: State, to: PlanRow, now: string): Settlement {
  const { plan, status } = state
  if (status !== 'active' || to.id === plan.id) return { due: 0, dropped: 0 }
  const left = shareLeft(state, now)
  const unused = plan.price_cents * left
  const wanted = plan.interval === to.interval ? to.price_cents * left : to.price_cents
  const credit = plan.currency === to.currency ? Math.min(unused, wanted) : 0
  return { due: Math.round(wanted - credit), dropped: Math.round(unused - credit) }
}

function shareLeft({ current_period_start, current_period_end }: State, now: string): number {
  const [start, end] = [Date.parse(current_period_start), Date.parse(current_period_end)]
  if (end <= start) return 0
  return Math.min(1, Math.max(0, (end - Date.parse(now)) / (end - start)))
}
