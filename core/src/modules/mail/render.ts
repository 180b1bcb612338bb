import { linkTo, type MailDefinition, type MailTexts, type Pages } from '#kernel'
import { layOutHtml, layOutText } from './layout.ts'
import { plainName, safeName } from './safe-name.ts'
import { unsubscribeLabel } from './unsubscribe/words.ts'

/** The person and the installation that a mail is written for. */
export interface RenderOptions {
  /** Address of the application without a trailing slash; links begin with it. */
  publicUrl: string
  /** Paths of the pages that links lead to. Default: the built-in pages. */
  pages?: Pages
  /** BCP 47 and IANA names for the text and the times in it; unknown ones fall back to the first text, English and UTC. */
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

/** Renders a mail in the recipient's language if it has a text in that. `data` has the shape that the mail declares. */
export function renderMail(mail: MailDefinition, data: unknown, setting: RenderOptions): RenderedMail {
  const language = chooseLanguage(mail.texts, setting.locale)
  const write = mail.texts[language]
  if (!write) throw new Error(`The mail ${mail.kind} has no text`)
  const words = write({
    data: data as Record<string, unknown>, // checked against the schema before it was sealed
    language,
    link: (path, token) => linkTo(setting, path, token),
    time: (at) => formatTime(at, setting),
    greet,
    safeName,
    plainName,
  })
  const url = setting.unsubscribeUrl
  const footer = url === undefined ? undefined : { label: unsubscribeLabel(language), url }
  return {
    subject: words.subject,
    text: layOutText(words, footer),
    html: words.html ?? layOutHtml(words, language, footer),
  }
}

/** The text for the exact language tag, else for a shorter one (`zh-Hant-TW`, `zh-Hant`, `zh`), else the first text. */
function chooseLanguage(texts: MailTexts<never>, locale: string | null | undefined): string {
  for (let tag = locale ?? ''; tag !== ''; tag = tag.slice(0, Math.max(tag.lastIndexOf('-'), 0)))
    if (Object.hasOwn(texts, tag)) return tag
  return Object.keys(texts)[0] ?? 'en'
}

function greet(name: string | null | undefined, word = 'Hello'): string {
  // The name may come from somebody else: an inviter, or a person who registers with another's address.
  const safe = plainName(name ?? '', '')
  return safe ? `${word} ${safe},` : `${word},`
}

function formatTime(at: string, { locale, timezone }: RenderOptions): string {
  const options = { dateStyle: 'long', timeStyle: 'long' } as const
  const date = new Date(at)
  try {
    return new Intl.DateTimeFormat(locale || 'en', { ...options, timeZone: timezone || 'UTC' }).format(date)
  } catch {
    // An unknown locale or time zone must not prevent a mail.
    return new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' }).format(date)
  }
}
