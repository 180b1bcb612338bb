import { normalizeEmail } from '../text/email.ts'
import { isMoment, tidyMoment } from '../text/moments.ts'
import { showsSomething, tidyLine, tidySearch } from '../text/names.ts'
import { canonicalLocale, canonicalTimeZone } from '../text/places.ts'

/** A kind of text with a canonical form, into which it is brought before it is checked, compared and stored. */
export interface Form {
  /** Undefined: as if the field had not been sent. */
  tidy(text: string): string | undefined
  /** A check that JSON Schema cannot express. */
  fits(text: string): boolean
  /** The message for text that does not fit. */
  says: string
}

const asItIs = (text: string) => text

/** The forms that a schema may name in `form`. */
export const FORMS = {
  line: { tidy: tidyLine, fits: showsSomething, says: 'must show at least one letter, digit or sign' },
  search: { tidy: tidySearch, fits: () => true, says: 'cannot be searched for' },
  // Stored as typed where it is only shown; operations that find a person by it normalise it.
  email: { tidy: asItIs, fits: (text) => normalizeEmail(text) !== null, says: 'is not a valid e-mail address' },
  time_zone: {
    tidy: (text) => canonicalTimeZone(text) ?? text,
    fits: (text) => canonicalTimeZone(text) !== null,
    says: 'must be an IANA time zone such as Europe/Berlin',
  },
  locale: {
    tidy: (text) => canonicalLocale(text) ?? text,
    fits: (text) => canonicalLocale(text) !== null,
    says: 'must be a BCP 47 language tag such as de-CH',
  },
  moment: { tidy: tidyMoment, fits: isMoment, says: 'must be a moment such as 2026-01-31T12:00:00.000Z' },
} as const satisfies Record<string, Form> // the names are a type

export type FormName = keyof typeof FORMS

/** Brings the texts of a parsed value into their canonical forms, in place. */
export type Tidy = (value: unknown) => void

interface Shape {
  form?: FormName
  properties?: Record<string, Shape>
  items?: Shape
}

/** The tidying function of a schema; null when there is nothing to tidy, which is most common. */
export function tidierOf(schema: object): Tidy | null {
  const { properties, items } = schema as Shape // JSON Schema's own keywords, and ours
  const inItems = typeof items === 'object' && !Array.isArray(items) ? fieldTidier(items) : null
  const inProperties = Object.entries(properties ?? {}).flatMap(([name, shape]) => {
    const tidy = fieldTidier(shape)
    return tidy ? [[name, tidy] as const] : []
  })
  if (!inItems && inProperties.length === 0) return null
  return (value) => {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      if (inItems) for (let at = 0; at < value.length; at++) inItems(value, at)
      return
    }
    for (const [name, tidy] of inProperties) if (Object.hasOwn(value, name)) tidy(value, name)
  }
}

/** Tidies one field of an object or list. */
function fieldTidier(shape: Shape): ((holder: object, key: string | number) => void) | null {
  const form: Form | undefined = shape.form === undefined ? undefined : FORMS[shape.form]
  const within = tidierOf(shape)
  if (!form && !within) return null
  return (holder, key) => {
    const fields = holder as Record<string | number, unknown> // an object or list, its key looked for by the caller
    const value = fields[key]
    if (typeof value !== 'string' || !form) return within?.(value)
    const tidied = form.tidy(value)
    if (tidied === undefined) delete fields[key]
    else fields[key] = tidied
  }
}
