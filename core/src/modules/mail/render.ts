import {
  type Brand,
  type Ctx,
  linkTo,
  type MailDefinition,
  type MailValue,
  type Messages,
  type MessageValue,
  type Pages,
} from '#kernel'
import { fitting, layOutHtml, layOutText, type MailText } from './layout.ts'
import { plainName, safeName } from './safe-name.ts'

/** The person and the installation that a mail is written for. */
export interface RenderOptions {
  /** Address of the application without a trailing slash; links begin with it. */
  publicUrl: string
  /** Paths of the pages that links lead to. Default: the built-in pages. */
  pages?: Pages
  /** What the product calls itself: who a mail is from that belongs to no tenant. */
  product: string
  /** What the tenant looks like whose mail it is. */
  brand?: Brand | null
  /** BCP 47 and IANA names for the text and the times in it; unknown ones are English and UTC. */
  locale?: string | null
  timezone?: string | null
  /** Where the recipient ends mails like this one. Default: nowhere. */
  unsubscribeUrl?: string | undefined
}

/** A mail that is complete except for its recipient. */
export interface RenderedMail {
  subject: string
  text: string
  html: string
}

/** Renders a mail in the recipient's language where all of it is there. `data` has the shape that the mail declares. */
export function renderMail(
  messages: Messages,
  mail: MailDefinition,
  data: unknown,
  options: RenderOptions,
): RenderedMail {
  const written = writeMail(messages, mail, data as Record<string, unknown>, options) // checked before it was sealed
  const brand = { ...options.brand, name: plainName(options.brand?.name ?? '', '') || options.product }
  return { subject: written.subject, text: layOutText(written, brand), html: layOutHtml(written, brand) }
}

/** For whom a mail is written. */
export type Reader = Pick<RenderOptions, 'locale' | 'timezone'>

/** Renders a mail of this installation. */
export function renderFor(
  { registry, config, product }: Ctx,
  mail: MailDefinition,
  data: unknown,
  { locale, timezone }: Reader,
  { brand = null, unsubscribeUrl }: Pick<RenderOptions, 'brand' | 'unsubscribeUrl'> = {},
): RenderedMail {
  const { http, pages } = config
  const options = { publicUrl: http.publicUrl, pages, product: product.name, brand, locale, timezone, unsubscribeUrl }
  return renderMail(registry.messages, mail, data, options)
}

/** Longer subjects are cut by mail programs in any case. */
const LONGEST_SUBJECT = 250

function writeMail(
  messages: Messages,
  mail: MailDefinition,
  data: Record<string, unknown>,
  { locale, timezone, unsubscribeUrl: end, ...place }: RenderOptions,
): MailText {
  const codes = codesOf(messages, mail)
  const language = messages.languageOf(Object.values(codes), locale)
  const isOwn = locale === language || locale?.startsWith(`${language}-`)
  const reading = { locale: isOwn ? locale : language, timezone }
  const writing = {
    data,
    language,
    link: (path: `/${string}`, token?: string) => linkTo(place, path, token),
    text: (code: string, values?: Record<string, MessageValue>) => messages.text(code, { ...reading, values }),
    safeName,
    plainName,
  }
  const values = flat(mail.values(writing))
  // The name may come from somebody else: an inviter, or a person who registers with another's address.
  const name = plainName(typeof data.name === 'string' ? data.name : '', '')
  const write = (code: string | undefined) => code && messages.text(code, { ...reading, values })
  return {
    language,
    subject: shortened(oneLine(writing.text(codes.subject, values))),
    greeting: writing.text(codes.greeting, { ...values, name, named: name ? 'yes' : 'no' }),
    paragraphs: fitting(writing.text(codes.body, values).split(/\n\s*\n/)),
    action: mail.action && codes.action ? { label: write(codes.action) ?? '', url: mail.action(writing) } : undefined,
    closing: write(codes.closing),
    footer: end === undefined ? undefined : { label: writing.text('mail.words.unsubscribe'), url: end },
  }
}

function shortened(subject: string): string {
  return subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1).toWellFormed()}…` : subject
}

/** The messages that a mail is made of. */
function codesOf(messages: Messages, { kind, action, security }: MailDefinition) {
  const own = (part: string) => `mail.${kind}.${part}`
  const closing = messages.has(own('closing')) ? own('closing') : security ? 'mail.closing.security' : undefined
  return {
    subject: own('subject'),
    greeting: messages.has(own('greeting')) ? own('greeting') : 'mail.greeting',
    body: own('body'),
    ...(action && { action: own('action') }),
    ...(closing !== undefined && { closing }),
  }
}

/** Texts on one line, so that none begins a paragraph of its own; lists as lines. */
function flat(values: Readonly<Record<string, MailValue>>): Record<string, MessageValue> {
  const lines = (value: MailValue): MessageValue => {
    if (typeof value === 'string') return oneLine(value)
    return isList(value) ? value.map(oneLine).join('\n') : value
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, lines(value)]))
}

const isList = (value: MailValue): value is readonly string[] => Array.isArray(value)
const oneLine = (text: string) =>
  text.replace(/[\s\u0085]+/g, (blank) => (/[^ \t\u00a0\u202f]/.test(blank) ? ' ' : blank))
