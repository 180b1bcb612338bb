import { type Ctx, DAYS, firstIdAt, least, timeOfId } from '#kernel'
import type { Criteria } from './filters.ts'
import { type AuditRow, findRecordFrom, listRecords } from './queries.ts'
import type { Span } from './selection.ts'

/** Most pages are full of records of one month, and a month is one partition, or two. */
const WINDOW_MS = 31 * DAYS
/** No clock is that far ahead, but for a broken one. */
const AHEAD_MS = 1 * DAYS

/** Where in the order of ids to read on, and how much. */
export interface Reading {
  /** Null: from the newest record on. */
  beforeId: string | null
  limit: number
}

/** The newest of the records before `beforeId` that meet the criteria, `q` aside, newest first. */
export async function readRecords(
  { tx, tenantId, clock }: Ctx,
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
 * Where to look first: not further back than a month from the last record seen, from `to`, or from now. Bounded on both
 * sides, because planning a query for all the partitions takes longer than reading a page from one.
 */
export function newestSpan(now: number, criteria: Criteria, beforeId: string | null) {
  const top = least(beforeId, criteria.before?.id)
  const from = firstIdAt((top === null ? now : timeOfId(top)) - WINDOW_MS)
  return {
    from,
    before: top ?? firstIdAt(now + AHEAD_MS),
    /** Records may lie above, though none should. */
    isOpen: top === null,
    /** No record that is asked for lies below. */
    isAll: criteria.from !== undefined && criteria.from.id >= from,
  }
}
