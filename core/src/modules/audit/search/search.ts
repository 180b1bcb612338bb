import type { Criteria } from '../filters.ts'
import { type AuditRow, findRecordFrom } from '../queries.ts'
import { newestSpan, type Reader, type Reading, readRecords } from '../read.ts'
import { listRecordsById } from '../seals/seal-queries.ts'
import { narrow, type Span } from '../selection.ts'
import type { NameRow } from '../table.ts'
import { findCompleteTo, type Labelled, listIdsOfNames, listLabels, listNames } from './search-queries.ts'
import { asciiPattern, fold, hasWord, termRange } from './words.ts'

export { indexNames } from './name-index.ts'

/** Limits for reading before another method is tried. */
export interface Efforts {
  /** Records read first, one by one: most searched words are in the newest ones. */
  near: number
  /** Further reads double in size up to this many. */
  far: number
  /** A word at the start of more names than this occurs in so many records that reading them finds some soon. */
  names: number
  /** Names looked up at once. */
  atOnce: number
}

const OF_A_PAGE: Efforts = { near: 200, far: 10_000, names: 1_000, atOnce: 50 }
const OF_A_FILE: Efforts = { ...OF_A_PAGE, near: 2_000 }
const LARGEST_PAGE = 101
/** The share of matching records from which reading on costs less than the dictionary. */
const RICH = 0.05

const KINDS = ['action', 'actor', 'actor_type', 'resource', 'resource_type'] as const // the words are the type

interface Search extends Reading {
  criteria: Criteria
  efforts: Efforts
  /** Folded. */
  prefix: string
}

/** Matches so far, newest first; `end`: records before it have not been read, null: all have. */
interface Found {
  ids: string[]
  end: string | null
  /** The number of records read last. */
  count: number
  hits: number
}

/**
 * The newest records before `beforeId` that match the criteria and have a word that starts with `q`, newest first. The
 * newest are read one by one until there are enough, or all that may not be in the dictionary yet were read; the rest
 * is found by the dictionary.
 */
export async function searchRecords(
  ctx: Reader,
  criteria: Criteria,
  reading: Reading,
  efforts = reading.limit > LARGEST_PAGE ? OF_A_FILE : OF_A_PAGE,
): Promise<AuditRow[]> {
  const prefix = fold(criteria.q ?? '')
  if (prefix === '') return readRecords(ctx, criteria, reading)
  const ids = await findIds(ctx, { criteria, prefix, efforts, ...reading })
  const rows = await listRecordsById(ctx.tx, ctx.tenantId, ids)
  return rows.sort((a, b) => (a.id < b.id ? 1 : -1))
}

async function findIds(ctx: Reader, search: Search): Promise<string[]> {
  const { tx, tenantId, clock } = ctx
  const { efforts } = search
  const newest = newestSpan(clock.ms(), search.criteria, search.beforeId)
  // Read before the dictionary, which contains everything that was complete by then.
  const [completeTo, ahead] = await Promise.all([
    findCompleteTo(tx, tenantId),
    newest.isOpen ? findRecordFrom(tx, tenantId, newest.before) : undefined,
  ])
  const start = ahead ? { ...newest, before: null } : newest
  const near = await look(ctx, search, { span: start, count: efforts.near })
  let found: Found = { ...near, end: near.end ?? (newest.isAll ? null : newest.from) }
  const isOpen = ({ end }: { end: string }) => completeTo === null || end > completeTo
  while (goesOn(search, found) && (isOpen(found) || found.hits > RICH * found.count))
    found = await lookOn(ctx, search, found)
  if (!goesOn(search, found)) return found.ids.slice(0, search.limit)
  const names = await listNames(tx, tenantId, { ...termRange(search.prefix), limit: efforts.names + 1 })
  if (names.length <= efforts.names) return merge(ctx, search, found, names)
  while (goesOn(search, found)) found = await lookOn(ctx, search, found)
  return found.ids.slice(0, search.limit)
}

function goesOn({ limit }: Search, found: Found): found is Found & { end: string } {
  return found.end !== null && found.ids.length < limit
}

async function lookOn(ctx: Reader, search: Search, { ids, end, count }: Found): Promise<Found> {
  const span = { from: null, before: end }
  const more = await look(ctx, search, { span, count: Math.min(2 * count, search.efforts.far) })
  return { ...more, ids: [...ids, ...more.ids] }
}

/** Reads records one by one. */
async function look(ctx: Reader, search: Search, { span, count }: { span: Span; count: number }): Promise<Found> {
  const { criteria, prefix } = search
  const selection = { criteria, ...span, limit: count, pattern: asciiPattern(prefix) }
  const { rows, last } = await listLabels(ctx.tx, ctx.tenantId, selection)
  const ids = rows.filter((row) => holds(row, prefix)).map(({ id }) => id)
  return { ids: ids.sort().reverse(), end: last, count, hits: ids.length }
}

/** Whether a word of a record's names begins with a folded text. */
export function holds({ action, actor_label, resource_label }: Omit<Labelled, 'id'>, prefix: string): boolean {
  return [actor_label, resource_label, action].some((label) => label !== null && hasWord(label, prefix))
}

/**
 * Adds the newest records with one of the names. Names are looked up by an index in the order of their last records,
 * until none of the others can have a newer record than those found.
 */
async function merge(ctx: Reader, search: Search, found: Found, all: NameRow[]): Promise<string[]> {
  const { criteria, limit, efforts } = search
  const span = narrow(criteria, { from: null, before: found.end })
  const names = candidates(all, search, span)
  const ids = new Set(found.ids)
  let newest = [...ids]
  for (let at = 0; at < names.length; at += efforts.atOnce) {
    const some = names.slice(at, at + efforts.atOnce)
    const worst = newest[limit - 1]
    if (worst !== undefined && worst > some[0]!.last_id) break // a slice that begins within the list is not empty
    for (const id of await listIds(ctx, { criteria, limit, ...span }, some)) ids.add(id)
    newest = [...ids].sort().reverse().slice(0, limit)
  }
  return newest.slice(0, limit)
}

/** Names with a word of this prefix and records within the span, those with the newest records first. */
function candidates(all: NameRow[], { prefix }: Search, { from, before }: Span): NameRow[] {
  const names = new Map(all.map((name) => [name.id, name]))
  return [...names.values()]
    .filter(({ first_id, last_id }) => (before === null || first_id < before) && (from === null || last_id >= from))
    .filter(({ label }) => hasWord(label, prefix))
    .sort((a, b) => (a.last_id < b.last_id ? 1 : -1))
}

async function listIds(
  { tx, tenantId }: Reader,
  selection: Span & { criteria: Criteria; limit: number },
  names: NameRow[],
): Promise<string[]> {
  const found = KINDS.map((kind) => {
    const some = names.filter((name) => name.kind === kind)
    return listIdsOfNames(tx, tenantId, { ...selection, kind, names: some })
  })
  return (await Promise.all(found)).flat()
}
