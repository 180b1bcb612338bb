/** Until when no further mail of a kind goes to an address. */
export interface MailPauseTable {
  /** Hash of kind, address and, where that counts, tenant. */
  key: string
  ends_at: string
}

declare module '#kernel' {
  interface Tables {
    mail_pauses: MailPauseTable
  }
}
