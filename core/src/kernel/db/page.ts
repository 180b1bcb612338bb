import { hash, timingSafeEqual } from 'node:crypto'
import { type SelectQueryBuilder, sql } from 'kysely'
import type { Ctx } from '../context.ts'
import { invalidCursor } from '../errors.ts'

/** A column that orders a list: its name in the rows, or that and its full name in the query. */
export type OrderColumn<O> = (keyof O & string) | { column: string; as: keyof O & string }

export interface PageOptions<O> {
  /**
   * Newest first by these; together they must be unique, and none may be null. Default: the UUIDv7 `id`, which ascends
   * with time. Times are compared in milliseconds, which is what `ctx.clock` gives.
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
  query: SelectQueryBuilder<any, TB, O>,
  { by = ['id' as keyof O & string] }: PageOptions<O> = {}, // every listed row has an id unless `by` says otherwise
): Promise<PageOf<O>> {
  const columns = by.map((each) => (typeof each === 'string' ? { column: each, as: each } : each))
  const read = (after: readonly string[] | null, limit: number) => {
    let paged = query.limit(limit)
    if (after) {
      const names = sql.join(columns.map(({ column }) => sql.ref(column)))
      paged = paged.where(sql<boolean>`(${names}) < (${sql.join(after)})`)
    }
    for (const { column } of columns) paged = paged.orderBy(sql.ref(column), 'desc')
    return paged.execute()
  }
  return pageFrom(ctx, read, { by: columns.map(({ as }) => as) })
}

/**
 * The same for a list that takes more than one query: `read` gives the first `limit` rows after the one that had these
 * values in the columns `by` (null: from the beginning), newest first; fewer mean that there are no more. `limit`: of a
 * list whose pages have a length of their own.
 */
export async function pageFrom<O>(
  ctx: Ctx,
  read: (after: readonly string[] | null, limit: number) => Promise<O[]>,
  { by = ['id' as keyof O & string], ...options }: { by?: readonly (keyof O & string)[]; limit?: number } = {}, // as above
): Promise<PageOf<O>> {
  const { cursor } = ctx.list
  const { limit = ctx.list.limit } = options
  // One row more tells whether there is another page.
  const rows = await read(cursor === null ? null : readCursor(ctx, cursor, by.length), limit + 1)
  if (rows.length <= limit) return { data: rows, next_cursor: null }
  const data = rows.slice(0, limit)
  const last = data[limit - 1]!
  const values = by.map((column) => orderValue(column, last[column]))
  return { data, next_cursor: writeCursor(ctx, values) }
}

function orderValue(column: string, value: unknown): string {
  if (value === null || value === undefined)
    throw new Error(`A list cannot be ordered by ${column}: a row has no value there`)
  return String(value)
}

const SIGNATURE_BYTES = 12

function writeCursor(ctx: Ctx, values: string[]): string {
  const text = JSON.stringify(values)
  return Buffer.concat([signature(ctx, text), Buffer.from(text)]).toString('base64url')
}

function readCursor(ctx: Ctx, cursor: string, expected: number): string[] {
  const bytes = Buffer.from(cursor, 'base64url')
  const text = bytes.subarray(SIGNATURE_BYTES).toString()
  if (bytes.length <= SIGNATURE_BYTES) throw invalidCursor()
  if (!timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), signature(ctx, text))) throw invalidCursor()
  const values = JSON.parse(text) as string[] // signed above, so written by writeCursor
  if (values.length !== expected) throw invalidCursor()
  return values
}

/**
 * A hash over key and text, cut to 12 of its 32 bytes, which is what keeps anybody from extending a signed text. It
 * takes a tenth of the time of an HMAC, which every page of every list would pay for.
 */
function signature(ctx: Ctx, text: string): Buffer {
  const key = ctx.core.secrets.derive('cursor').toString('base64url')
  return hash('sha256', `${key}\0${ctx.list.fingerprint}\0${text}`, 'buffer').subarray(0, SIGNATURE_BYTES)
}
