import type { Static, TObject } from 'typebox'
import type { Ctx } from '../context.ts'
import type { Tx } from '../db/tables.ts'
import type { MessageValue, MessageValues } from '../messages/catalogue.ts'

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
 * an address, of each tenant where it says so.
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
  /** It concerns the security of an account: whoever it goes to cannot switch it off. */
  readonly security: boolean
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
  spec: { data: D } & Partial<Pick<MailDefinition<D>, 'values' | 'action' | 'security'>> & { pause?: MailPause },
): MailDefinition<D> {
  return Object.freeze({ kind, pause: null, security: false, values: () => ({}), action: null, ...spec })
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
}

/** *Who brings mails out?* Without a module that fills this slot no module can have any. */
export interface PostOffice {
  /** Accepts a mail in the transaction of `ctx`; false when it will not be sent. */
  post<D extends TObject>(ctx: Ctx, mail: MailDefinition<D>, letter: Letter<Static<D>>): Promise<boolean>
}

/** What a tenant looks like in the mails that it sends. */
export interface Brand {
  /** What the tenant calls itself: shown only where it is no more than a name. */
  name: string
  /** `#1a73e8`, for buttons and for the line above; null: the product's own. */
  primaryColor: string | null
  accentColor: string | null
  /** Where its logo is; null: none. */
  logoUrl: string | null
}

/** *What does a tenant look like?* Its mails look like the product's where no module fills this slot. */
export type BrandSource = (tx: Tx, tenantId: string) => Promise<Brand | null>

/** Passes a mail to the post office. Throws for one that no module lists. */
export async function postMail<D extends TObject>(
  ctx: Ctx,
  mail: MailDefinition<D>,
  letter: Letter<Static<D>>,
): Promise<boolean> {
  const { mails, postOffice } = ctx.registry
  if (!mails.has(mail.kind) || !postOffice) throw new Error(`The mail ${mail.kind} belongs to no module of this core`)
  return postOffice.post(ctx, mail, letter)
}
