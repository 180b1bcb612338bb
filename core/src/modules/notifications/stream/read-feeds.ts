import type { Ctx } from '#kernel'
import { tenantTimeZone } from '../../tenants/index.ts'
import { readerOf } from '../preferences/reader.ts'
import { presentNotification } from '../present.ts'
import { listPeople } from '../queries.ts'
import type { Notification } from '../schema.ts'
import type { NotificationRow } from '../table.ts'
import { unreadOf } from '../unread.ts'
import { listAfter, listCounts, type Place } from './stream-queries.ts'

/** What is new to one person. */
export interface Feed {
  unread: number
  news: readonly { seq: number; notification: Notification }[]
  /** There is more behind it. */
  isMore: boolean
}

/** Notifications of a person that one look gives: what a stream holds at most. */
const EACH = 10

/** What is new to these people of the tenant of `ctx`; nobody is in it who is no active member. */
export async function readFeeds(ctx: Ctx, places: readonly Place[]): Promise<ReadonlyMap<string, Feed>> {
  const { tx, tenantId } = ctx
  const ids = places.map(({ userId }) => userId)
  const [people, counts, zone] = await Promise.all([
    listPeople(tx, tenantId, { ids, holding: null, except: null, after: null, limit: ids.length }),
    listCounts(tx, tenantId, ids),
    ctx.setting(tenantTimeZone),
  ])
  const countsOf = new Map(counts.map((row) => [row.id, row]))
  // Nobody sees what belongs to an earlier membership.
  const shown = places.map(({ userId, seq }) => ({ userId, seq: Math.max(seq, countsOf.get(userId)?.hidden_to ?? 0) }))
  const rows = await listAfter(tx, tenantId, shown, { now: ctx.clock.now(), each: EACH })
  const rowsOf = Map.groupBy(rows, ({ user_id }) => user_id)
  const feeds = new Map<string, Feed>()
  for (const person of people) {
    const own = countsOf.get(person.id)
    const found = rowsOf.get(person.id) ?? []
    const reader = readerOf(person, zone)
    const present = (row: NotificationRow) => {
      const seq = Number(row.seq)
      return own ? [{ seq, notification: presentNotification(ctx, row, own, reader) }] : []
    }
    const unread = own ? await unreadOf(ctx, own) : 0
    feeds.set(person.id, { unread, news: found.flatMap(present), isMore: found.length === EACH })
  }
  return feeds
}
