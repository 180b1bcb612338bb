/** Until when no further mail of a kind is sent to an address. */
export interface MailPauseTable {
  /** Hash of the kind, the address and, for pauses per tenant, the tenant. */
  key: string
  ends_at: string
}

declare module '#kernel' {
  interface Tables {
    mail_pauses: MailPauseTable
  }
}
