import { DAYS } from '#kernel'
import type { Interval } from './table.ts'

/** How long a period is. */
export const MONTHS: Record<Interval, number> = { month: 1, year: 12 }

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
