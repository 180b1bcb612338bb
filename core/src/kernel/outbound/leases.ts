import { type Clock, fromNow } from '../clock.ts'
import { newId } from '../ids.ts'

/** What a row keeps of who is at work on it, and until when that one is taken for alive. */
export interface LeaseColumns {
  locked_by: string | null
  locked_until: string | null
}

export const NO_LEASE = { locked_by: null, locked_until: null } satisfies LeaseColumns

/** The right to work on a row, for so many milliseconds: write it into the row while that is locked and `isFree`. */
export function newLease(clock: Clock, ms: number): { locked_by: string; locked_until: string } {
  return { locked_by: newId(), locked_until: fromNow(clock, ms) }
}

/** Whether nobody works on the row now, and it is not put off until later. */
export function isFree(
  { locked_until, next_attempt_at }: Pick<LeaseColumns, 'locked_until'> & { next_attempt_at: string | null },
  clock: Clock,
): boolean {
  const now = clock.now()
  return [locked_until, next_attempt_at].every((moment) => moment === null || moment <= now)
}

/** Whether a lease is still the row's: nobody took over after it had run out. */
export function isHeld(row: Pick<LeaseColumns, 'locked_by'>, lease: Pick<LeaseColumns, 'locked_by'>): boolean {
  return lease.locked_by !== null && row.locked_by === lease.locked_by
}
