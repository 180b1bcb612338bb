import { GREATEST_ID, greatest, LEAST_ID, least, type RawBuilder, type SqlBool, sql } from '#kernel'
import type { Criteria } from './filters.ts'

/** A range of ids: from `from` to before `before`; null: unbounded. */
export interface Span {
  from: string | null
  before: string | null
}

/** The newest records that match the criteria except `q`. */
export interface Selection extends Span {
  criteria: Criteria
  limit: number
}

/**
 * The span covers the bounds of `criteria` on ids. `inOrder`: by an index that orders what is looked for, which the log of one
 * tenant has.
 */
export function matching(criteria: Criteria, span: Span, { inOrder: isOrdered = true } = {}): RawBuilder<SqlBool> {
  const { actionRange, from, before } = criteria
  const conditions: RawBuilder<unknown>[] = []
  if (span.from !== null) conditions.push(sql`id >= ${span.from}`)
  if (span.before !== null) conditions.push(sql`id < ${span.before}`)
  if (from) conditions.push(sql`created_at >= ${from.createdAt}`)
  if (before) conditions.push(sql`created_at < ${before.createdAt}`)
  if (actionRange) conditions.push(sql`${ACTION} >= ${actionRange.from} and ${ACTION} < ${actionRange.before}`)
  if (criteria.actorType !== undefined) conditions.push(sql`actor_type = ${criteria.actorType}`)
  if (criteria.userId !== undefined) conditions.push(sql`actor_type in ('user', 'admin')`)
  const alone = isOrdered ? findAlone(criteria) : undefined
  if (alone) conditions.push(inOrder(alone, span))
  else for (const [column, value] of valuesOf(criteria)) conditions.push(sql`${COLUMNS[column].name} = ${value}`)
  return conditions.length === 0 ? sql`true` : sql`${sql.join(conditions, sql` and `)}`
}

/**
 * Whether a name may have a word that matches a pattern (see `asciiPattern`). Names with characters beyond ASCII are compared by `hasWord`
 * only.
 */
export function mayMatch(column: string, pattern: string | null): RawBuilder<SqlBool> {
  const name = sql.ref(column)
  const isOther = sql<SqlBool>`octet_length(${name}) <> char_length(${name})`
  return pattern === null ? isOther : sql<SqlBool>`(${name} collate "C" ~* ${pattern} or ${isOther})`
}

/** Newest first; by the index of a value that is the only filter. */
export function newestFirst(criteria: Criteria): RawBuilder<unknown> {
  const alone = findAlone(criteria)
  return alone ? sql`${COLUMNS[alone[0]].name} desc, id desc` : sql`id desc`
}

/**
 * All records with a value, as a range of its index, with a value that the planner does not see. For an equality it
 * would look the value up in its statistics and plan the statement each time, which takes longer than reading the page,
 * or assume that it is rare and sort all rows. With several values it must choose the most selective one.
 */
function inOrder([column, value]: [Column, string], { from, before }: Span): RawBuilder<SqlBool> {
  const { name, type } = COLUMNS[column]
  const hidden = sql`(select ${value}::${type})`
  return sql`${name} is not null and (${name}, id) >= (${hidden}, ${from ?? LEAST_ID})
    and (${name}, id) <= (${hidden}, ${before ?? GREATEST_ID})`
}

/** Compared by bytes, as in its index. */
export const ACTION = sql`action collate "C"`
const [TEXT, UUID] = [sql`text`, sql`uuid`]
/** Columns with an index that orders ids behind each value. */
const COLUMNS = {
  action: { name: ACTION, type: TEXT },
  resource_type: { name: sql`resource_type`, type: TEXT },
  resource_id: { name: sql`resource_id`, type: TEXT },
  actor_id: { name: sql`actor_id`, type: UUID },
  store_id: { name: sql`store_id`, type: UUID },
  ip_address: { name: sql`ip_address`, type: TEXT },
}
type Column = keyof typeof COLUMNS

/** The requested values. */
function valuesOf({
  action,
  resourceType,
  resourceId,
  userId,
  actorId,
  storeId,
  ipAddress,
}: Criteria): [Column, string][] {
  const values: [Column, string | undefined][] = [
    ['action', action],
    ['resource_type', resourceType],
    ['resource_id', resourceId],
    ['actor_id', userId],
    ['actor_id', actorId],
    ['store_id', storeId],
    ['ip_address', ipAddress],
  ]
  return values.filter((pair): pair is [Column, string] => pair[1] !== undefined)
}

/** Whether a value is asked for that an index knows. */
export const isByIndex = (criteria: Criteria): boolean => valuesOf(criteria).length > 0

function findAlone(criteria: Criteria): [Column, string] | undefined {
  const [first, ...others] = valuesOf(criteria)
  return others.length === 0 && criteria.actionRange === undefined ? first : undefined
}

/** Bounds of ids on both sides, so that the planner excludes other partitions. */
export function narrow(criteria: Criteria, { from, before }: Span): Span {
  return { from: greatest(from, criteria.from?.id), before: least(before, criteria.before?.id) }
}

/**
 * The limit is part of the statement, so that it is planned for a page; it has few sizes, so that there are few
 * statements.
 */
export function atLeast(limit: number): RawBuilder<number> {
  return sql.lit(LIMITS.find((size) => size >= limit) ?? limit)
}

const LIMITS = [21, 51, 101, 500]
