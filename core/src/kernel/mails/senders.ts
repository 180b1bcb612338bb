import type { Ctx } from '../context.ts'

/** What a mail is signed with (DKIM, RFC 6376). */
export interface DkimKey {
  /** The domain that vouches for the mail; that of the sender's address, or the signature says nothing about it. */
  readonly domainName: string
  /** Names the record with the public key: `<selector>._domainkey.<domain>`. */
  readonly keySelector: string
  /** An RSA key in PEM. */
  readonly privateKey: string
}

/** In whose name a mail goes out. What is missing is as the configuration says. */
export interface Sender {
  readonly from?: {
    /** As somebody typed it: whoever writes the header makes it safe. */
    readonly name?: string | null
    /** Only an address whose domain was proven to be the tenant's. Default: that of `MAIL_FROM`. */
    readonly address?: string | null
  }
  /** A single plain address. */
  readonly replyTo?: string | null
  readonly dkim?: DkimKey | null
}

/** *In whose name does a mail go out?* Without a module that fills this slot all mails are those of the installation. */
export interface Senders {
  /** Asked for each mail when it is sent, in a transaction of its tenant. `tenantId` null: a mail of no tenant. */
  senderOf(ctx: Ctx, tenantId: string | null): Promise<Sender | null>
}
