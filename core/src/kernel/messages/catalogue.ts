import { formatToParts } from 'intl-messageformat'
import type { MessageFile } from './files.ts'
import { createFormatters, formats } from './formats.ts'
import { type MessageFormatElement, parseMessage } from './parse.ts'

/** What a message is told: a moment as an ISO text or a `Date`, nothing as null. */
export type MessageValue = string | number | boolean | Date | null
export type MessageValues = Readonly<Record<string, MessageValue>>

/** For whom a message is written. */
export interface Reading {
  /** BCP 47 name of the reader's; default: English. */
  locale?: string | null
  /** IANA name of the reader's, for `{at, date, …}` and `{at, time, …}`; default, and for an unknown one: UTC. */
  timezone?: string | null
  values?: MessageValues
}

/** One text: the last module that has it in a language decides. */
export interface Message {
  readonly text: string
  readonly module: string
}

/** The texts of all modules, by code and language. */
export interface Messages {
  /**
   * A text in the reader's language: the exact tag, else a shorter one (`de-CH`, `de`), else English. Values are shown as
   * they are, never read as a message or as HTML; what a person typed has been through `safeName` or `plainName` before.
   * Throws for a code that there is not, and for a value that is missing.
   */
  text(code: string, reading?: Reading): string
  has(code: string): boolean
  /**
   * The one language that several texts are written in together, `en` unless each of them is there: half a translation is
   * worse than none.
   */
  languageOf(codes: readonly string[], locale: string | null | undefined): string
  readonly codes: readonly string[]
  /** Of all that has a text, sorted. */
  readonly languages: readonly string[]
  /** The text of exactly this language. */
  find(code: string, language: string): Message | undefined
}

/** What every text is there in, and who reads no language of the others gets. */
export const FIRST_LANGUAGE = 'en'

/** The texts of the files; a later one replaces those of an earlier one. */
export function createMessages(files: readonly MessageFile[]): Messages {
  const byCode = new Map<string, Map<string, Message>>()
  for (const { language, module, texts } of files)
    for (const [code, text] of texts) {
      const versions = byCode.get(code) ?? new Map<string, Message>()
      byCode.set(code, versions.set(language, { text, module }))
    }
  const find = (code: string, language: string) => byCode.get(code)?.get(language)
  const languageFor = (code: string, locale: string | null | undefined) =>
    shorterTags(locale).find((tag) => find(code, tag) !== undefined)
  return {
    text: createWriter((code, locale) => {
      const language = languageFor(code, locale)
      const message = find(code, language ?? FIRST_LANGUAGE)
      if (!message) throw new Error(`No module of this core has the message ${code}`)
      // The moments in a text are written in its own language, as the reader's country writes them.
      return { message, locale: language === undefined ? FIRST_LANGUAGE : (locale ?? FIRST_LANGUAGE) }
    }),
    has: (code) => byCode.has(code),
    languageOf: (codes, locale) => {
      const found = codes.map((code) => languageFor(code, locale) ?? '')
      return found.includes('')
        ? FIRST_LANGUAGE
        : found.reduce((a, b) => (b.length > a.length ? b : a), '') || FIRST_LANGUAGE
    },
    codes: [...byCode.keys()].sort(),
    languages: [...new Set(files.map(({ language }) => language))].sort(),
    find,
  }
}

/** `zh-Hant-TW`, `zh-Hant`, `zh`. */
export function shorterTags(locale: string | null | undefined): string[] {
  const parts = (locale ?? '').split('-')
  return locale ? parts.map((_, index) => parts.slice(0, parts.length - index).join('-')) : []
}

/** Parses a message when it is first needed, since a start is not to wait for all of them. */
function createWriter(choose: (code: string, locale?: string | null) => { message: Message; locale: string }) {
  const parsed = new WeakMap<Message, MessageFormatElement[]>()
  const formattersOf = createFormatters()
  return (code: string, { locale, timezone, values = {} }: Reading = {}): string => {
    const chosen = choose(code, locale)
    const elements = parsed.get(chosen.message) ?? parseMessage(chosen.message.text)
    parsed.set(chosen.message, elements)
    // Without a prototype, which has values of its own; without what is undefined, which is missing.
    const given = Object.assign(Object.create(null), values)
    for (const name in given) if (given[name] === undefined) delete given[name]
    const parts = formatToParts(
      elements,
      chosen.locale,
      formattersOf(timezone || 'UTC'),
      formats,
      given,
      undefined,
      code,
    )
    return parts.map(({ value }) => String(value)).join('')
  }
}
