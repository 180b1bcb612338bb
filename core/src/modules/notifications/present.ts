import { type Ctx, EMAIL, pickFields } from '#kernel'
import type { Reader } from './preferences/reader.ts'
import type { Feed } from './queries.ts'
import { Notification } from './schema.ts'
import type { NotificationRow } from './table.ts'
import { textsOf } from './texts.ts'

/** Whether it is counted: shown, and read neither by itself nor with all up to it. */
export const isUnread = ({ read_at, seq }: NotificationRow, { read_to }: Pick<Feed, 'read_to'>): boolean =>
  read_at === null && seq !== null && seq > read_to

/** A notification as it stands on the wire, in the reader's language. */
export function presentNotification(ctx: Ctx, row: NotificationRow, feed: Feed, reader: Reader): Notification {
  const { title, message, actions } = textsOf(ctx, row.kind, row.data, reader)
  return pickFields(Notification, {
    ...row,
    title,
    message,
    data: { ...row.data, actions },
    channel: row.seq === null ? EMAIL : ('in_app' as const), // what is in no list went out by mail at the most
    read_at: isUnread(row, feed) ? null : (row.read_at ?? feed.read_all_at),
    outcome: row.outcome !== null && row.outcome_at !== null ? { action: row.outcome, at: row.outcome_at } : null,
    sent_at: row.created_at,
  })
}
