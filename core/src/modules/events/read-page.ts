import { type Ctx, invalidCursor, readCursor, writeCursor } from '#kernel'
import { namesMeant, readPatterns } from './patterns.ts'
import { type FollowedRow, findEventAt, findHead, findOldest, listEvents } from './queries.ts'
import type { EventQuery } from './schema.ts'

/** Where to begin: behind a position, with the oldest event that is kept, or with what comes from now on. */
export type Start = number | 'oldest' | 'now'

/** Which events are asked for. */
export interface Wish {
  types: readonly string[] | null
  storeId: string | null
  limit: number
}

/** What one look at the feed gave. */
export interface Look {
  events: readonly FollowedRow[]
  /** The position up to which it has looked. */
  next: number
  /** There is nothing behind it yet. */
  isAtHead: boolean
}

export const DEFAULT_LIMIT = 20
/** Events that one look goes through at most: so a filter that nothing fits costs no more in a long feed. */
const SCAN = 2_000

export const wishOf = ({ registry }: Ctx, { types, store_id, limit = DEFAULT_LIMIT }: EventQuery): Wish => {
  const patterns = types === undefined ? ['*'] : readPatterns(types)
  return {
    types: patterns.includes('*') ? null : namesMeant(patterns, registry.published.keys()),
    storeId: store_id?.toLowerCase() ?? null,
    limit,
  }
}

/** Looks at the feed once. Throws 400 `invalid_cursor` where what comes next is not kept any more. */
export async function lookAt(ctx: Ctx, wish: Wish, start: Start): Promise<Look> {
  const { tx, tenantId } = ctx
  const head = await findHead(tx, tenantId)
  const after = start === 'now' ? head : start === 'oldest' ? await beforeOldest(ctx, head) : start
  // A database that was restored may give the same positions to other events.
  if (after > head) throw invalidCursor({ detail: 'There is no such place any more: begin without `after`' })
  const to = Math.min(head, after + SCAN)
  // Rights may have become fewer since the request came.
  const stores = ctx.storesWith('event.view')
  if (stores?.length === 0) ctx.require('event.view')
  const { limit, ...filters } = wish
  const list = ctx.narrow(listEvents(tx, tenantId, { ...filters, after, to, stores })).limit(limit)
  if (after === head) return { events: [], next: head, isAtHead: true }
  // In this order: what is there afterwards was there when the list was read. Positions have no gap.
  const [events, isKept] = await Promise.all([list.execute(), findEventAt(tx, tenantId, after + 1)])
  if (!isKept) {
    if (start === 'oldest') return lookAt(ctx, wish, start)
    throw invalidCursor({
      detail: 'Events that came behind this cursor are no longer kept: begin without `after`, with the oldest that is',
    })
  }
  const last = events[limit - 1]
  return last ? { events, next: last.position, isAtHead: false } : { events, next: to, isAtHead: to === head }
}

const beforeOldest = async ({ tx, tenantId }: Ctx, head: number): Promise<number> => {
  const oldest = await findOldest(tx, tenantId)
  return oldest === undefined ? head : oldest - 1
}

/** The start that a request names. Throws 400 `invalid_cursor`. */
export function readStart(ctx: Ctx, query: EventQuery): Start {
  const { after } = query
  if (after === undefined) return 'oldest'
  if (after === NOW) return 'now'
  const [position] = readCursor(ctx.secrets, fingerprintOf(ctx, query), { cursor: after, length: 1 })
  return Number(position)
}

/** No cursor: it has too few letters. */
export const NOW = 'now'

/** The place behind a position, for these filters. */
export const cursorAt = (ctx: Pick<Ctx, 'secrets' | 'tenantId'>, query: EventQuery, position: number): string =>
  writeCursor(ctx.secrets, fingerprintOf(ctx, query), [String(position)])

/** Of the tenant and its filters, not of whoever asks: another key goes on where one has stopped. */
const fingerprintOf = ({ tenantId }: Pick<Ctx, 'tenantId'>, { types, store_id }: EventQuery): string =>
  JSON.stringify(['GET /events', tenantId, types === undefined ? ['*'] : readPatterns(types), store_id?.toLowerCase()])
