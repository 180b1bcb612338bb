import type { State } from './states.ts'
import type { PlanRow } from './table.ts'

export const isFree = ({ price_cents }: Pick<PlanRow, 'price_cents'>): boolean => price_cents === 0

/** Whether a change leads to less: a lower price for the same time, or the same price. Anything else is an upgrade. */
export function isDowngrade(from: PlanRow, to: PlanRow): boolean {
  return perYear(to) <= perYear(from)
}

const perYear = ({ price_cents, interval }: PlanRow) => price_cents * (interval === 'month' ? 12 : 1)

/**
 * What a change of plan at this moment costs at once, in minor units. Within a period of the same length it is the
 * difference for what is left of it; where the length changes, a new period begins, and what is left of the old one is
 * taken off. Never less than 0: nothing is paid back. A trial costs nothing.
 */
export function dueForChange(state: State, to: PlanRow, now: string): number {
  if (state.status !== 'active') return 0
  const { plan } = state
  const left = shareLeft(state, now)
  const unused = plan.currency === to.currency ? plan.price_cents * left : 0
  const wanted = plan.interval === to.interval ? to.price_cents * left : to.price_cents
  return Math.max(0, Math.round(wanted - unused))
}

function shareLeft({ current_period_start, current_period_end }: State, now: string): number {
  const [start, end] = [Date.parse(current_period_start), Date.parse(current_period_end)]
  if (end <= start) return 0
  return Math.min(1, Math.max(0, (end - Date.parse(now)) / (end - start)))
}
