import { type Clock, fromNow } from '../clock.ts'
import { newId } from '../ids.ts'

/** Columns of a row for the process that works on it, and until when it counts as alive. */
export interface LeaseColumns {
  locked_by: string | null
  locked_until: string | null
}

export const NO_LEASE = { locked_by: null, locked_until: null } satisfies LeaseColumns

/** A lease on a row for so many milliseconds: store it in the row while that is locked and `isFree`. */
export function newLease(clock: Clock, ms: number): { locked_by: string; locked_until: string } {
  return { locked_by: newId(), locked_until: fromNow(clock, ms) }
}

/** Whether no process works on the row and it is not delayed. */
export function isFree(
  { locked_until, next_attempt_at }: Pick<LeaseColumns, 'locked_until'> & { next_attempt_at: string | null },
  clock: Clock,
): boolean {
  const now = clock.now()
  return [locked_until, next_attempt_at].every((moment) => moment === null || moment <= now)
}

/** Whether the row still has this lease, and no process took over after it expired. */
export function isHeld(row: Pick<LeaseColumns, 'locked_by'>, lease: Pick<LeaseColumns, 'locked_by'>): boolean {
  return lease.locked_by !== null && row.locked_by === lease.locked_by
}
