import { type Clock, DAYS, fromNow, HOURS, MINUTES, momentAfter } from '#kernel'
import { otherSlot, type RecordState, type Seen } from './records.ts'
import type { DomainRow } from './table.ts'

/** How long the key that signed before stays in DNS: mail servers try for about five days. */
export const OVERLAP_MS = 7 * DAYS
/** How long the word of silent name servers counts as it was last. */
const PATIENCE_MS = 24 * HOURS
/** How often a domain is looked at. A quarter more or less each time, so that many do not come at once. */
const VERIFIED_MS = 6 * HOURS
const FAILING_MS = 1 * HOURS
const NEW_MS = 15 * MINUTES
const NEW_FOR_MS = 1 * DAYS
const WAITING_MS = 6 * HOURS
/** A domain that nobody finished setting up is not looked at for ever. */
const GIVEN_UP_MS = 14 * DAYS
const MOST_SPREAD = 1.25

/** The furthest that the next look is ahead, for the kernel's watch over clocks that were wrong. */
export const MOST_AHEAD_MS = MOST_SPREAD * VERIFIED_MS

/** What a look-up means for a domain, apart from whether another tenant has it. */
export type Verdict = Pick<DomainRow, 'problem' | 'unreachable_since' | 'signing' | 'rotation_asked_at' | 'retires_at'>

/** Whether what must be there is there, by the key that signs from now on. */
export function judge(row: DomainRow, seen: Seen, clock: Clock): Verdict {
  const turned = turnKeys(row, seen, clock)
  const key = seen[`dkim_${turned.signing}`]
  const said = { ...turned, unreachable_since: null }
  if (isGone(seen.verification)) return { ...said, problem: 'not_proven' }
  if (isGone(key)) return { ...said, problem: 'key_missing' }
  if (seen.verification === 'found' && key === 'found') return { ...said, problem: null }
  const since = row.unreachable_since ?? clock.now()
  const isPatient = row.status === 'verified' && clock.now() < momentAfter(since, PATIENCE_MS)
  return { ...turned, unreachable_since: since, problem: isPatient ? null : 'unreachable' }
}

/** The name servers said that it is not there. */
export const isGone = (state: RecordState | undefined): boolean => state === 'missing' || state === 'different'

/** The next key signs once it is asked for and DNS shows it, so that no mail is signed with what nobody can check. */
function turnKeys({ signing, rotation_asked_at, retires_at }: DomainRow, seen: Seen, clock: Clock) {
  const next = otherSlot(signing)
  if (rotation_asked_at === null || seen[`dkim_${next}`] !== 'found') return { signing, rotation_asked_at, retires_at }
  return { signing: next, rotation_asked_at: null, retires_at: fromNow(clock, OVERLAP_MS) }
}

/** When a domain in this state is looked at again; null: not by itself. */
export function nextCheck(
  row: Pick<DomainRow, 'status' | 'created_at' | 'unreachable_since' | 'rotation_asked_at' | 'updated_at'>,
  clock: Clock,
): string | null {
  const everyMs = intervalOf(row, clock)
  return everyMs === null ? null : fromNow(clock, everyMs * (2 - MOST_SPREAD + Math.random() * 2 * (MOST_SPREAD - 1)))
}

function intervalOf(row: Parameters<typeof nextCheck>[0], clock: Clock): number | null {
  const ageMs = Date.parse(clock.now()) - Date.parse(row.updated_at)
  if (row.unreachable_since !== null || row.rotation_asked_at !== null) return ageMs < NEW_FOR_MS ? NEW_MS : FAILING_MS
  if (row.status === 'verified') return VERIFIED_MS
  if (row.status === 'failing') return FAILING_MS
  if (ageMs < NEW_FOR_MS) return NEW_MS
  return ageMs < GIVEN_UP_MS ? WAITING_MS : null
}
