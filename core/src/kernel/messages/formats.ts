import type { Formats, Formatters } from 'intl-messageformat'

const withZone = { timeZoneName: 'short' } as const
const day = { year: 'numeric', month: 'long', day: 'numeric' } as const
const minute = { hour: 'numeric', minute: '2-digit' } as const

/** The styles of `{at, date, long}`, `{at, time, short}` and `{share, number, percent}`. */
export const formats = {
  number: { integer: { maximumFractionDigits: 0 }, percent: { style: 'percent' } },
  date: {
    short: { dateStyle: 'short' },
    medium: { dateStyle: 'medium' },
    long: { dateStyle: 'long' },
    full: { dateStyle: 'full' },
    // A moment that somebody has to compare with a clock: the day, the minute, and whose clock.
    moment: { ...day, ...minute, ...withZone },
  },
  time: {
    short: { timeStyle: 'short' },
    medium: { timeStyle: 'medium' },
    long: { timeStyle: 'long' },
    full: { timeStyle: 'full' },
  },
} satisfies Formats

/** Readers choose languages and zones, so there may be any number of combinations. */
const MOST_KEPT = 300
/** Instead of the language of this machine, which is what `Intl` takes where it does not know one. */
const LAST_LANGUAGE = 'en'

/** Makes the formatters of one time zone. */
export type FormattersOf = (timezone: string) => Formatters

/** Keeps formatters, each of which costs as much as many texts. */
export function createFormatters(): FormattersOf {
  const kept = new Map<string, unknown>()
  const keep = <T>(make: () => T, ...key: unknown[]): T => {
    const name = JSON.stringify(key)
    const known = kept.get(name)
    if (known !== undefined) return known as T // kept under a key that begins with the kind of formatter
    const made = make()
    for (const oldest of kept.keys()) if (kept.size >= MOST_KEPT) kept.delete(oldest)
    kept.set(name, made)
    return made
  }
  return (timezone) => ({
    getNumberFormat: (locale, options) => keep(() => numbers(languages(locale), options), 'number', locale, options),
    getPluralRules: (locale, options) =>
      keep(() => new Intl.PluralRules(languages(locale), options), 'plural', locale, options),
    getDateTimeFormat: (locale, options = formats.date.medium) =>
      keep(() => moments(languages(locale), options, timezone), 'moment', locale, options, timezone),
  })
}

const languages = (locale: Intl.LocalesArgument) => [String(locale), LAST_LANGUAGE]

function numbers(locales: string[], options?: object): Intl.NumberFormat {
  const format = new Intl.NumberFormat(locales, options)
  const written = (value: unknown) => (isNothing(value) ? '' : format.format(value as number)) // a number, or NaN is shown
  return { format: written } as Intl.NumberFormat // nothing else of it is asked for
}

function moments(locales: string[], options: Intl.DateTimeFormatOptions, timezone: string): Intl.DateTimeFormat {
  const format = inZone(locales, options, timezone)
  const written = (value: unknown) => {
    const at = value instanceof Date ? value : new Date(String(value))
    if (isNothing(value)) return ''
    return Number.isNaN(at.getTime()) ? String(value) : format.format(at)
  }
  return { format: written } as Intl.DateTimeFormat // nothing else of it is asked for
}

const isNothing = (value: unknown) => value === null || value === undefined || value === ''

function inZone(locales: string[], options: Intl.DateTimeFormatOptions, timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(locales, { ...options, timeZone })
  } catch {
    // A zone that this Node does not know must not prevent a mail.
    return new Intl.DateTimeFormat(locales, { ...options, timeZone: 'UTC' })
  }
}
