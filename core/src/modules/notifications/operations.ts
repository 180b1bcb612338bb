import { at, type Ctx, conflict, invalidRequest, notFound, page } from '#kernel'
import { notificationActed } from './events.ts'
import { findReader } from './preferences/reader.ts'
import { isUnread, presentNotification } from './present.ts'
import {
  deleteNotification,
  type Feed,
  findCounts,
  findShown,
  listNotifications,
  lockCounts,
  updateCounts,
  updateNotification,
} from './queries.ts'
import type { Notification, NotificationFilter, TakenAction } from './schema.ts'
import { tellStreams } from './stream/hub.ts'
import type { CountRow, NotificationRow } from './table.ts'
import { unreadOf } from './unread.ts'
import { settleRead } from './upkeep/settle-read.ts'

/** One page of what the signed-in person was told in this tenant, the latest first. */
export async function pageNotifications(ctx: Ctx, filter: NotificationFilter) {
  const [counts, reader] = await Promise.all([findCounts(ctx.tx, ctx.tenantId, ctx.userId), findReader(ctx)])
  const feed = counts ?? nothingYet(ctx)
  const rows = listNotifications(ctx.tx, feed, ctx.clock.now(), filter)
  const { data, next_cursor } = await page(ctx, rows, { by: [{ column: 'seq', as: 'seq' }] })
  return { data: data.map((row) => presentNotification(ctx, row, feed, reader)), next_cursor }
}

/** How many the person has not read, which costs the same however many there are. */
export async function countUnread(ctx: Ctx): Promise<number> {
  const counts = await findCounts(ctx.tx, ctx.tenantId, ctx.userId)
  return counts ? unreadOf(ctx, counts) : 0
}

/** The person has read one. Throws 404. */
export async function readNotification(ctx: Ctx, id: string): Promise<Notification> {
  const { counts, row } = await lockShown(ctx, id)
  if (!isUnread(row, counts)) return present(ctx, counts, row)
  return change(ctx, counts, row, {})
}

/** The person has read all. At constant cost: they are marked one by one afterwards. */
export async function readAll(ctx: Ctx): Promise<number> {
  const counts = await lockCounts(ctx.tx, ctx.tenantId, ctx.userId)
  if (!counts || counts.unread === 0) return 0
  const updated = await unreadOf(ctx, counts)
  const now = ctx.clock.now()
  const read = { unread: 0, read_to: counts.last_seq, read_all_at: now, next_expiry: null, updated_at: now }
  await updateCounts(ctx.tx, counts, read)
  tellStreams(ctx, [counts.id])
  await ctx.enqueue(settleRead, { user_id: counts.id, to: counts.last_seq, at: now })
  return updated
}

/** Puts one away, which the person has read by that. Throws 404. */
export async function archiveNotification(ctx: Ctx, id: string): Promise<Notification> {
  const { counts, row } = await lockShown(ctx, id)
  if (row.archived_at !== null) return present(ctx, counts, row)
  return change(ctx, counts, row, { archived_at: ctx.clock.now() })
}

/** Throws 404. */
export async function removeNotification(ctx: Ctx, id: string): Promise<void> {
  const { counts, row } = await lockShown(ctx, id)
  await deleteNotification(ctx.tx, row)
  if (isUnread(row, counts)) await countLess(ctx, counts)
}

/**
 * Records which of its actions the person took, once; modules follow the event. Throws 404, 400 for an action that it does not
 * have, 409 when another one was taken.
 */
export async function takeAction(ctx: Ctx, id: string, { action }: TakenAction): Promise<Notification> {
  const { counts, row } = await lockShown(ctx, id)
  const kind = ctx.registry.notifications.get(row.kind)
  if (!kind?.actions.some(({ name }) => name === action))
    throw invalidRequest({ errors: [at('action', 'is none of its actions')] })
  if (row.outcome === action) return present(ctx, counts, row)
  if (row.outcome !== null) throw conflict({ detail: `The action ${row.outcome} was taken already` })
  const after = await change(ctx, counts, row, { outcome: action, outcome_at: ctx.clock.now() })
  await ctx.emit(notificationActed, {
    after: { id, user_id: row.user_id, kind: row.kind, action },
    label: row.kind,
    storeId: null,
  })
  return after
}

/** What a person has of whom nothing was ever kept. */
const nothingYet = ({ tenantId, userId }: Ctx): Feed => ({
  tenant_id: tenantId,
  id: userId,
  read_to: 0,
  read_all_at: null,
  hidden_to: 0,
})

/** The person's counts, locked, and one of what they are shown. */
async function lockShown(ctx: Ctx, id: string): Promise<{ counts: CountRow; row: NotificationRow }> {
  const counts = await lockCounts(ctx.tx, ctx.tenantId, ctx.userId)
  const row = counts && (await findShown(ctx.tx, counts, id, ctx.clock.now()))
  if (!row) throw notFound()
  return { counts, row }
}

/** Changes one that is read by that. */
async function change(
  ctx: Ctx,
  counts: CountRow,
  row: NotificationRow,
  changes: Partial<Pick<NotificationRow, 'archived_at' | 'outcome' | 'outcome_at'>>,
): Promise<Notification> {
  const now = ctx.clock.now()
  const wasUnread = isUnread(row, counts)
  const read_at = wasUnread ? now : (row.read_at ?? counts.read_all_at ?? now)
  const after = await updateNotification(ctx.tx, row, { ...changes, read_at, updated_at: now })
  if (wasUnread) await countLess(ctx, counts)
  return present(ctx, counts, after)
}

async function countLess(ctx: Ctx, counts: CountRow): Promise<void> {
  await updateCounts(ctx.tx, counts, { unread: counts.unread - 1, updated_at: ctx.clock.now() })
  tellStreams(ctx, [counts.id])
}

const present = async (ctx: Ctx, counts: CountRow, row: NotificationRow): Promise<Notification> =>
  presentNotification(ctx, row, counts, await findReader(ctx))
