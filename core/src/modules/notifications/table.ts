import type { Generated, NotificationType, Selectable, TenantRow } from '#kernel'

/** Told to one person of the tenant. */
export interface NotificationTable extends TenantRow {
  user_id: string
  /** The place in the person's list; null: it is not shown there. */
  seq: number | null
  kind: string
  type: NotificationType
  /** What its texts are written from. */
  data: Readonly<Record<string, unknown>>
  group_key: string | null
  expires_at: string | null
  read_at: Generated<string | null>
  archived_at: Generated<string | null>
  /** The name of the action that the person has taken. */
  outcome: Generated<string | null>
  outcome_at: Generated<string | null>
}

/** How many a person has not read; `id` is the person. */
export interface NotificationCountTable extends TenantRow {
  unread: number
  last_seq: number
  /** All up to here are read, since `read_all_at`. */
  read_to: number
  read_all_at: Generated<string | null>
  /** All up to here belong to an earlier membership. */
  hidden_to: number
  /** Nothing that is counted expires before; null: nothing expires. */
  next_expiry: string | null
}

/** Channels of a kind that are switched on or off, and whether its mails come in the daily digest. */
export interface KindChoice {
  channels?: Readonly<Record<string, boolean>>
  digest?: boolean
}

/** Times of the day, `22:00`; a window that ends before it begins goes over midnight. */
export interface QuietHours {
  from: string
  to: string
}

/** What a member has chosen; `id` is the person. */
export interface NotificationPreferenceTable extends TenantRow {
  kinds: Readonly<Record<string, KindChoice>>
  quiet_hours: QuietHours | null
}

/** What is still to go out by a channel. */
export interface NotificationSendTable extends Omit<TenantRow, 'updated_at'> {
  user_id: string
  notification_id: string
  channel: string
  is_digest: boolean
}

export type NotificationRow = Selectable<NotificationTable>
export type CountRow = Selectable<NotificationCountTable>
export type PreferenceRow = Selectable<NotificationPreferenceTable>
export type SendRow = Selectable<NotificationSendTable>

declare module '#kernel' {
  interface Tables {
    notifications: NotificationTable
    notification_counts: NotificationCountTable
    notification_preferences: NotificationPreferenceTable
    notification_sends: NotificationSendTable
  }
}
