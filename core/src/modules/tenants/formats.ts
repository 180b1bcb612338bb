import Type from 'typebox'

const currencies = new Set(Intl.supportedValuesOf('currency'))
const isCurrency = (code: string) => currencies.has(code)
const codeMessage = 'must be an ISO 4217 currency code such as EUR'
const code = Type.String({
  pattern: '^[A-Z]{3}$',
  says: codeMessage,
  description: 'ISO 4217 currency',
  examples: ['EUR'],
})
/** An ISO 4217 currency code such as `EUR`. */
export const Currency = Type.Refine(code, isCurrency, () => codeMessage)

const MAX_EXTRA_BYTES = 64 * 1024

/** Settings of an application's own: any JSON object up to 64 KiB, replaced as a whole. */
export const Extra = Type.Refine(
  Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'Free for the application; 64 KiB of JSON at most. Replaced whole.',
    examples: [{}],
  }),
  (value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_EXTRA_BYTES,
  () => 'must be at most 64 KiB of JSON',
)
