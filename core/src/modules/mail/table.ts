import type { Selectable, TenantRow } from '#kernel'

export const STATUSES = ['queued', 'sent', 'deferred', 'bounced', 'suppressed', 'failed', 'canceled'] as const
export type MailStatus = (typeof STATUSES)[number]

/** Why a mail is where it is, where its status does not say it. */
export const REASONS = [
  'hard_bounce',
  'complaint',
  'refused',
  'unreachable',
  'gave_up',
  'unreadable',
  'no_longer_valid',
  'by_hand',
  'mail_off',
] as const
export type MailReason = (typeof REASONS)[number]

/** A mail without a tenant. */
export interface GlobalMailTable {
  id: string
  to: string
  /** The same in the form in which addresses are compared. */
  address: string
  subject: string
  kind: string
  status: MailStatus
  reason: MailReason | null
  attempts: number
  /** What the mail server said last, without addresses and whatever the mail says. */
  server_reply: string | null
  sent_at: string | null
  next_attempt_at: string | null
  failing_since: string | null
  /** The attempt under way. */
  claimed_by: string | null
  /** It asks for a turn at its address before it leaves. */
  waits_turn: boolean
  /** The first mail of which it is a copy. */
  resend_of: string | null
  /** Sealed; null once it is of no use. */
  data: string | null
  locale: string | null
  timezone: string | null
  from_name: string | null
  unsubscribe_kind: string | null
  unsubscribe_user_id: string | null
  created_at: string
  updated_at: string
}

/** A mail of a tenant. */
export interface MailTable extends TenantRow, Omit<GlobalMailTable, keyof TenantRow> {}

/** An address that a tenant's mails do not go to. */
export interface MailSuppressionTable extends TenantRow {
  email: string
  reason: 'hard_bounce' | 'complaint'
  server_reply: string | null
  mail_id: string | null
}

/** An address at which nobody is. */
export interface DeadAddressTable {
  /** Hash of the address. */
  key: string
  server_reply: string | null
  bounced_at: string
}

/** When mails of a kind went to an address, and until when that counts. */
export interface MailPauseTable {
  /** Hash of the kind, the address and, for pauses per tenant, the tenant. */
  key: string
  taken: string[]
  ends_at: string
}

declare module '#kernel' {
  interface Tables {
    mails: MailTable
    global_mails: GlobalMailTable
    mail_suppressions: MailSuppressionTable
    dead_addresses: DeadAddressTable
    mail_pauses: MailPauseTable
  }
}

/** A mail, of a tenant or of none. */
export type MailRow = Selectable<GlobalMailTable>
export type SuppressionRow = Selectable<MailSuppressionTable>
