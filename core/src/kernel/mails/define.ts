import type { Static, TObject } from 'typebox'
import type { Ctx } from '../context.ts'
import type { MessageValue, MessageValues } from '../messages/catalogue.ts'
import type { Subscription } from './unsubscribe.ts'

/** A value of a mail's texts; several lines stand one below the other. */
export type MailValue = MessageValue | readonly string[]

/** What the values of a mail's texts are written from. */
export interface MailWriting<T = Record<string, unknown>> {
  readonly data: T
  /** The tag of the language that the mail is written in: `en`, `de-CH`. */
  readonly language: string
  /**
   * The address of a page: a built-in one stands where the settings say, any other path under `PUBLIC_URL`. The token
   * becomes its `token=`.
   */
  link(path: `/${string}`, token?: string): string
  /** Another message, in the language and time zone of the mail: a line for each thing that it lists. */
  text(code: string, values?: MessageValues): string
  /**
   * A name that a user gave, as somebody else may read it: on one line, of bounded length, without addresses, numbers
   * and links. `fallback` when nothing is left. Everything that a person typed goes through this or `plainName`.
   */
  safeName(name: string, fallback: string): string
  /** As `safeName`, for a name that nobody vouches for: `fallback` in place of one that says more than a name does. */
  plainName(name: string, fallback: string): string
}

/**
 * For mails that somebody can have sent to an address that is not theirs, again and again: one in so many minutes goes to
 * an address, of each tenant where it says so. And however many tenants ask, five in an hour and twenty in a day.
 */
export interface MailPause {
  readonly minutes: number
  readonly per?: 'address' | 'tenant'
}

/** A kind of mail: what it has to be told, and what its texts are told of that. */
export interface MailDefinition<D extends TObject = TObject> {
  /** `rent.reminder`: what it is about, for the queue and for the codes of its texts. Never changes. */
  readonly kind: string
  /** Kept sealed until the mail is sent, since it may hold tokens. */
  readonly data: D
  /** Null: none. */
  readonly pause: MailPause | null
  /**
   * It concerns the safety of an account, or the way into one: nobody switches it off, it is sent also to whoever
   * complained about mails of the tenant, and a day after a bounce it is tried again.
   */
  readonly security: boolean
  /**
   * Whether what it says is still of use, such as a link that nobody has used and that has not expired. Asked in a
   * transaction before each attempt, and before it is sent once more. Default: it always is.
   */
  readonly stillGood: ((ctx: Ctx, data: Static<D>) => Promise<boolean>) | null
  /** For each argument of its texts. */
  readonly values: (writing: MailWriting<Static<D>>) => Readonly<Record<string, MailValue>>
  /** The address that its button leads to, with the text `action` on it. Null: it has none. */
  readonly action: ((writing: MailWriting<Static<D>>) => string) | null
}

/**
 * Declares a mail; list it in the module's `mails` and send it with `ctx.mail`. Its texts are the messages
 * `mail.<kind>.subject`, `.body` (a blank line begins a paragraph), `.action` where it has one, and, if need be, `.greeting`
 * in place of the common one (`{name}`, from `data.name`, and `{named}`: yes or no) and `.closing`.
 */
export function defineMail<D extends TObject>(
  kind: string,
  spec: { data: D } & Partial<Pick<MailDefinition<D>, 'values' | 'action' | 'pause' | 'security' | 'stillGood'>>,
): MailDefinition<D> {
  return Object.freeze({
    kind,
    pause: null,
    security: false,
    stillGood: null,
    values: () => ({}),
    action: null,
    ...spec,
  })
}

/** What happens to a mail within the pause after one of its kind. */
export type IfPaused =
  /** Nothing: the earlier one says the same. */
  | 'skip'
  /** It goes out when the pause is over. */
  | 'wait'
  /** It is sent: the earlier one is void, and voiding it takes long enough. */
  | 'send'

/** A person as the recipient of a mail, in their language and time zone. */
export function recipientOf({ email, locale, timezone }: { email: string; locale: string; timezone: string }) {
  return { to: email, locale, timezone }
}

/** To whom a mail goes, and what it is told. */
export interface Letter<T> {
  /** The address as stored. */
  to: string
  /** A function is called only when the mail will be sent, for example to create a token. */
  data: T | (() => Promise<T>)
  /** BCP 47 and IANA names of the person's; default: English, and UTC. */
  locale?: string | null
  timezone?: string | null
  /** What the sender calls itself; shown before the configured name. */
  fromName?: string | null
  /** Default: `skip`. */
  ifPaused?: IfPaused
  /** Left out where the same was said to the address within so many minutes, whatever `ifPaused` says. Default: it is not. */
  onceInMinutes?: number | undefined
  /** What the recipient may switch off: the mail offers it, in its headers too (RFC 8058). Default: nothing. */
  unsubscribe?: Subscription | null
}

/** *Who brings mails out?* Without a module that fills this slot no module can have any. */
export interface PostOffice {
  /** Accepts a mail in the transaction of `ctx` and answers with its id; null when it will not be sent. */
  post<D extends TObject>(ctx: Ctx, mail: MailDefinition<D>, letter: Letter<Static<D>>): Promise<string | null>
}

/** What a mail is signed with (DKIM, RFC 6376). */
export interface DkimKey {
  /** The domain that vouches for the mail: that of the address it comes from, or the signature says nothing about it. */
  readonly domainName: string
  /** Names the record with the public key: `<selector>._domainkey.<domain>`. */
  readonly keySelector: string
  /** An RSA key in PEM. */
  readonly privateKey: string
}

/** Who a mail comes from. What is left out is as for everybody's. */
export interface MailSender {
  readonly from?: {
    /** As somebody typed it: whoever writes the header makes it safe. */
    readonly name?: string | null
    /** Only one whose domain was proven to be the tenant's. Default: that of `MAIL_FROM`. */
    readonly address?: string | null
  }
  /** A single plain address. */
  readonly replyTo?: string | null
  readonly dkim?: DkimKey | null
}

/** *Who do mails come from?* Without a module that fills this slot: from `MAIL_FROM`. */
export interface MailSenders {
  /**
   * Asked for each attempt at a mail, in a transaction of its tenant; `tenantId` null: a mail of no tenant. Null: from
   * `MAIL_FROM`.
   */
  senderOf(ctx: Ctx, tenantId: string | null): Promise<MailSender | null>
}

/** What a tenant looks like in the mails that it sends, and by whose clock it tells the time. */
export interface Brand {
  /** What the tenant calls itself: shown only where it is no more than a name. */
  name: string
  /** `#1a73e8`, for buttons and for the line above; null: the product's own. */
  primaryColor: string | null
  accentColor: string | null
  /** Where its logo is; null: none. */
  logoUrl: string | null
  /** How large it is, in pixels: mail programs leave room for it before they load it. Null: nobody knows. */
  logoSize?: { width: number; height: number } | null
  /** IANA name, for people who have chosen no time zone; null: UTC. */
  timezone: string | null
}

/** *What does a tenant look like?* Its mails look like the product's where no module fills this slot. */
export type BrandSource = (ctx: Ctx, tenantId: string) => Promise<Brand | null>

/** Passes a mail to the post office. Throws for one that no module lists. */
export async function postMail<D extends TObject>(
  ctx: Ctx,
  mail: MailDefinition<D>,
  letter: Letter<Static<D>>,
): Promise<string | null> {
  const { mails, postOffice } = ctx.registry
  if (!mails.has(mail.kind) || !postOffice) throw new Error(`The mail ${mail.kind} belongs to no module of this core`)
  return postOffice.post(ctx, mail, letter)
}
