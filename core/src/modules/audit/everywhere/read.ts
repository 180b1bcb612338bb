import { type Ctx, DAYS, firstIdAt, least, MINUTES, timeOfId } from '#kernel'
import type { Criteria } from '../filters.ts'
import { findRecords } from '../operations.ts'
import type { AuditRow } from '../queries.ts'
import type { Reading } from '../read.ts'
import { holds } from '../search/search.ts'
import { asciiPattern, fold } from '../search/words.ts'
import { isByIndex, narrow, type Span } from '../selection.ts'
import { countWithin, listOfInstallation, listWithin } from './queries.ts'

/** Whose records: a tenant's, the installation's own (null), or all (undefined). */
export type Whose = string | null | undefined

/** Records, newest first; `end`: those before it have not been looked at, null: all have. */
export interface Found {
  rows: AuditRow[]
  end: string | null
}

/** Most pages hold records of a few minutes. Each span that is read after it is so many times as long. */
const FIRST_MS = 15 * MINUTES
const LONGER = 4
/** The same once many records were looked at one by one. */
const LITTLE_LONGER = 2
/** No record is older, unless its clock was wrong: what is left is read as a whole. */
const ANCIENT_MS = 20 * 365 * DAYS
/** So many records are looked at for one page, where no index holds what is looked for; the next page goes on. */
const ENOUGH = 50_000

/**
 * The newest records before `beforeId` that match, of all tenants and of the installation. There may be fewer than `limit`
 * before `end`: `enough` is how many are looked at one by one. Called as the system role.
 */
export async function readEverywhere(
  ctx: Ctx,
  whose: Whose,
  criteria: Criteria,
  reading: Reading,
  enough = ENOUGH,
): Promise<Found> {
  const { beforeId, limit } = reading
  if (typeof whose === 'string') {
    const rows = await findRecords({ tx: ctx.tx, clock: ctx.clock, tenantId: whose }, criteria, reading)
    return { rows, end: rows.length < limit ? null : (rows.at(-1)?.id ?? null) }
  }
  const search: Search = { ctx, whose, criteria, limit, prefix: fold(criteria.q ?? '') }
  const rows: AuditRow[] = []
  const top = least(beforeId, criteria.before?.id)
  const start = top === null ? ctx.clock.ms() : timeOfId(top)
  let before = top
  let looked = 0
  for (let length = whose === null ? ANCIENT_MS : FIRST_MS; ; ) {
    const from = length >= ANCIENT_MS ? null : firstIdAt(start - length)
    looked += await readSpan(search, { from, before }, rows)
    if (rows.length >= limit) return { rows: rows.slice(0, limit), end: rows[limit - 1]?.id ?? null }
    if (from === null || (criteria.from && criteria.from.id >= from)) return { rows, end: null }
    if (looked >= enough) return { rows, end: from }
    before = from
    length *= looked > enough / 10 ? LITTLE_LONGER : LONGER
  }
}

interface Search {
  ctx: Ctx
  whose: null | undefined
  criteria: Criteria
  limit: number
  /** What a word of a name begins with, folded; empty: whatever the names. */
  prefix: string
}

/** Adds the matches within a span, as many as are wanted at most. Returns how many records were looked at one by one. */
async function readSpan(search: Search, span: Span, rows: AuditRow[]): Promise<number> {
  const { ctx, criteria, limit, prefix } = search
  const pattern = prefix === '' ? undefined : asciiPattern(prefix)
  const looked = isFiltered(search) ? countWithin(ctx.tx, narrow(criteria, span)) : 0
  for (let before = span.before; ; ) {
    const selection = { criteria, limit, pattern, from: span.from, before }
    const lists = await Promise.all([
      search.whose === null ? [] : listWithin(ctx.tx, selection),
      listOfInstallation(ctx.tx, selection),
    ])
    const newest = lists.flat().sort(byIdDescending)
    const isAll = newest.length <= limit && lists.every(({ length }) => length < limit)
    const some = newest.slice(0, limit)
    rows.push(...(prefix === '' ? some : some.filter((row) => holds(row, prefix))))
    if (isAll || rows.length >= limit) return looked
    before = some.at(-1)?.id ?? null
  }
}

/** Whether records are looked at one by one of which nothing says beforehand that they do not match. */
const isFiltered = ({ whose, criteria, prefix }: Search): boolean =>
  whose === undefined &&
  !isByIndex(criteria) &&
  (prefix !== '' || criteria.actionRange !== undefined || criteria.actorType !== undefined)

const byIdDescending = (one: AuditRow, other: AuditRow) => (one.id < other.id ? 1 : -1)
