import Type, { type Static, type TSchema } from 'typebox'
import { Nullable } from '#kernel'
import { canonicalLocale, isTimezone } from '../users/index.ts'

/** A schema with a check that JSON Schema has no words for; null is for the schema to accept or refuse. */
function checked<T extends TSchema>(schema: T, isValid: (value: NonNullable<Static<T>>) => boolean, message: string) {
  return Type.Refine(
    schema,
    (value) => value === null || isValid(value as NonNullable<Static<T>>), // the line itself asks for null
    () => message,
  )
}

const zone = Type.String({ maxLength: 64, description: 'IANA time zone', examples: ['Europe/Berlin'] })
const zoneMessage = 'must be an IANA time zone such as Europe/Berlin'
/** An IANA time zone such as `Europe/Berlin`. */
export const TimeZone = checked(zone, isTimezone, zoneMessage)
export const NullableTimeZone = checked(Nullable(zone), isTimezone, zoneMessage)

/** A BCP 47 language tag such as `en` or `de-CH`. */
export const Locale = checked(
  Type.String({ maxLength: 35, description: 'BCP 47 language tag', examples: ['de-CH'] }),
  (tag) => canonicalLocale(tag) !== null,
  'must be a BCP 47 language tag such as de-CH',
)

const currencies = new Set(Intl.supportedValuesOf('currency'))
const isCurrency = (code: string) => currencies.has(code)
const code = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 currency', examples: ['EUR'] })
const codeMessage = 'must be an ISO 4217 currency code such as EUR'
/** An ISO 4217 currency code such as `EUR`. */
export const Currency = checked(code, isCurrency, codeMessage)
export const NullableCurrency = checked(Nullable(code), isCurrency, codeMessage)

const MAX_EXTRA_BYTES = 64 * 1024

/** What an application keeps beside the settings it finds here: any JSON object of 64 KiB at most, replaced whole. */
export const Extra = checked(
  Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'Free for the application; 64 KiB of JSON at most. Replaced whole.',
    examples: [{}],
  }),
  (value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_EXTRA_BYTES,
  'must be at most 64 KiB of JSON',
)
