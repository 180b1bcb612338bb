import { type Ctx, DAYS, firstIdAt, least, timeOfId } from '#kernel'
import type { Criteria } from './filters.ts'
import { type AuditRow, findRecordFrom, listRecords } from './queries.ts'
import type { Span } from './selection.ts'

/** Most pages hold records of one month, which is in one or two partitions. */
const WINDOW_MS = 31 * DAYS
/** No clock is further ahead, unless it is wrong. */
const AHEAD_MS = 1 * DAYS

/** Where to continue, and how many records to read. */
export interface Reading {
  /** Null: from the newest record on. */
  beforeId: string | null
  limit: number
}

/** In which transaction, of which tenant, and when. */
export type Reader = Pick<Ctx, 'tx' | 'tenantId' | 'clock'>

/** The newest records before `beforeId` that match the criteria except `q`, newest first. */
export async function readRecords(
  { tx, tenantId, clock }: Reader,
  criteria: Criteria,
  { beforeId, limit }: Reading,
): Promise<AuditRow[]> {
  const read = (span: Span, limit: number) => listRecords(tx, tenantId, { criteria, limit, ...span })
  const newest = newestSpan(clock.ms(), criteria, beforeId)
  const [rows, ahead] = await Promise.all([
    read(newest, limit),
    newest.isOpen ? findRecordFrom(tx, tenantId, newest.before) : undefined,
  ])
  const found = ahead ? await read({ ...newest, before: null }, limit) : rows
  if (found.length === limit || newest.isAll) return found
  return [...found, ...(await read({ from: null, before: newest.from }, limit - found.length))]
}

/**
 * The range to read first: the month before the last record seen, before `to`, or before now. It has two bounds,
 * because planning a query over all partitions takes longer than reading a page from one.
 */
export function newestSpan(now: number, criteria: Criteria, beforeId: string | null) {
  const top = least(beforeId, criteria.before?.id)
  const from = firstIdAt((top === null ? now : timeOfId(top)) - WINDOW_MS)
  return {
    from,
    before: top ?? firstIdAt(now + AHEAD_MS),
    /** There may be records above the range, though there should be none. */
    isOpen: top === null,
    /** There is no matching record below the range. */
    isAll: criteria.from !== undefined && criteria.from.id >= from,
  }
}
