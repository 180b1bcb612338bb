import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { Ctx } from '../context.ts'
import { type Place, readCursor, writeCursor } from './cursors.ts'
import { UnfilteredList } from './prepared-list.ts'

/** A column that orders a list: its name in the rows, or that with its full name in the query and its direction. */
export type OrderColumn<O> =
  | (keyof O & string)
  | {
      column: string
      as: keyof O & string
      /** Default `desc`: newest, greatest, last of the alphabet first. */
      direction?: 'asc' | 'desc'
      /**
       * The column is never null. With this, pages of ascending columns are found by an index, so that page 10,000
       * costs the same as page 1. Descending ones do not need it.
       */
      notNull?: boolean
    }

export interface PageOptions<O> {
  /**
   * Ordered by these; together they must be unique. Null counts as greater than every value, as it does in an index of
   * PostgreSQL. Default: newest first by the UUIDv7 `id`, which ascends with time. Times are compared in milliseconds,
   * which is what `ctx.clock` gives.
   */
  by?: readonly OrderColumn<O>[]
}

/** One page of a list. */
export interface PageOf<O> {
  data: O[]
  next_cursor: string | null
}

/**
 * Runs a list's query for the page that the request asks for: keyset paging, so that page 10,000 costs what page 1
 * does and rows that arrive meanwhile neither repeat nor skip. The cursor names the last row seen and is signed for
 * this list, its filters and tenant; any other is 400 `invalid_cursor`.
 */
// biome-ignore lint/suspicious/noExplicitAny: which tables the query joins is the caller's business
export async function page<TB extends keyof any & string, O>(
  ctx: Ctx,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  list: SelectQueryBuilder<any, TB, O> | UnfilteredList<TB, O>,
  { by = ['id' as keyof O & string] }: PageOptions<O> = {}, // every listed row has an id unless `by` says otherwise
): Promise<PageOf<O>> {
  const columns = by.map((each): Column => (typeof each === 'string' ? { column: each, as: each } : each))
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const paged = (query: SelectQueryBuilder<any, TB, O>, after: Place | null, limit: number) => {
    const limited = ctx.narrow(query).limit(limit)
    const begun = after ? limited.where(isAfter(columns, after)) : limited
    return columns.reduce((all, { column, direction = 'desc' }) => all.orderBy(sql.ref(column), direction), begun)
  }
  const read = (after: Place | null, limit: number): Promise<O[]> => {
    if (!(list instanceof UnfilteredList)) return paged(list, after, limit).execute()
    // What differs from caller to caller is built anew.
    if (ctx.stores !== null || after?.includes(null)) return paged(list.query(), after, limit).execute()
    const shape = `${after ? 'after' : 'first'} ${JSON.stringify(columns)}`
    return list.read(shape, [limit, ...(after ?? [])], (query, [limit, ...place]) =>
      paged(query, after && (place as string[]), limit as number),
    )
  }
  const names = columns.map(({ as }) => as as keyof O & string) // from `by`, so names of columns of O
  const never = new Set(columns.filter(({ notNull }) => notNull).map(({ as }) => as))
  const placeValue = (column: string, value: unknown) =>
    value === null && !never.has(column) ? null : orderValue(column, value)
  return readPage(ctx, read, { columns: names, placeValue })
}

interface Column {
  column: string
  as: string
  direction?: 'asc' | 'desc'
  notNull?: boolean
}

/** The rows after a place, as a condition that an index can use where possible. */
function isAfter(columns: readonly Column[], place: Place): RawBuilder<boolean> {
  const isWhole = !place.includes(null)
  const all = (direction: 'asc' | 'desc') => columns.every((each) => (each.direction ?? 'desc') === direction)
  const names = sql.join(columns.map(({ column }) => sql.ref(column)))
  // In descending order nulls come first, and a comparison of rows correctly omits them here.
  if (isWhole && all('desc')) return sql<boolean>`(${names}) < (${sql.join(place)})`
  if (isWhole && all('asc') && columns.every(({ notNull }) => notNull))
    return sql<boolean>`(${names}) > (${sql.join(place)})`
  const branches = columns.map((last, at) => {
    const same = columns.slice(0, at).map((column, i) => isEqual(column, place[i] ?? null))
    return sql<boolean>`(${sql.join([...same, isBeyond(last, place[at] ?? null)], sql` and `)})`
  })
  return sql<boolean>`(${leadingBound(columns[0], place[0] ?? null)} (${sql.join(branches, sql` or `)}))`
}

const isEqual = ({ column }: Column, value: string | null) =>
  value === null ? sql`${sql.ref(column)} is null` : sql`${sql.ref(column)} = ${value}`

function isBeyond({ column, direction = 'desc', notNull }: Column, value: string | null): RawBuilder<unknown> {
  const name = sql.ref(column)
  if (direction === 'desc') return value === null ? sql`${name} is not null` : sql`${name} < ${value}`
  if (value === null) return sql`false`
  return notNull ? sql`${name} > ${value}` : sql`(${name} > ${value} or ${name} is null)`
}

/** A redundant condition that lets an index scan start there. */
function leadingBound(first: Column | undefined, value: string | null): RawBuilder<unknown> {
  if (!first || value === null) return sql``
  if (first.direction !== 'asc') return sql`${sql.ref(first.column)} <= ${value} and`
  return first.notNull ? sql`${sql.ref(first.column)} >= ${value} and` : sql``
}

/**
 * The same for a list that needs several queries: `read` returns the first `limit` rows after the one with these values
 * in the columns `by` (null: from the start), newest first; fewer rows mean that there are no more. The columns must
 * not be null. `limit`: for lists with their own page length.
 */
export async function pageFrom<O>(
  ctx: Ctx,
  read: (after: readonly string[] | null, limit: number) => Promise<O[]>,
  { by = ['id' as keyof O & string], ...options }: { by?: readonly (keyof O & string)[]; limit?: number } = {}, // as above
): Promise<PageOf<O>> {
  const whole = (after: Place | null) => after as readonly string[] | null // orderValue gives no null
  return readPage(ctx, (after, limit) => read(whole(after), limit), { columns: by, placeValue: orderValue, ...options })
}

async function readPage<O>(
  ctx: Ctx,
  read: (after: Place | null, limit: number) => Promise<O[]>,
  order: {
    columns: readonly (keyof O & string)[]
    placeValue: (column: string, value: unknown) => string | null
    limit?: number
  },
): Promise<PageOf<O>> {
  const { cursor, fingerprint } = ctx.list
  const { limit = ctx.list.limit } = order
  const { length } = order.columns
  // One row more shows whether there is another page.
  const rows = await read(cursor === null ? null : readCursor(ctx.secrets, fingerprint, { cursor, length }), limit + 1)
  if (rows.length <= limit) return { data: rows, next_cursor: null }
  const data = rows.slice(0, limit)
  const last = data[limit - 1]!
  const values = order.columns.map((column) => order.placeValue(column, last[column]))
  return { data, next_cursor: writeCursor(ctx.secrets, fingerprint, values) }
}

function orderValue(column: string, value: unknown): string {
  if (value === null || value === undefined)
    throw new Error(`A list cannot be ordered by ${column}: a row has no value there`)
  return String(value)
}
