import type { TSchema } from 'typebox'
import type { JsonSchema } from './openapi-types.ts'

/** How values are made otherwise than for the API document. */
export interface Making {
  /** A value for what has no parts: a text, a number, a boolean. Undefined: the usual one. */
  own(schema: TSchema, name: string): unknown
  /** Leaves out all that may be left out. */
  least: boolean
}

/** From `own`: there is no value to be had. */
export const LEFT_OUT = Symbol('left out')

/**
 * A value that fits a schema: its own example or default where it has one, else something made up by its format, its
 * name and its limits. A pattern that none of the words here fits needs `examples`: a test says which. With `making`,
 * lists and objects are made of their parts, whatever example they have.
 */
export function sampleOf(schema: TSchema, name = '', making?: Making): unknown {
  return sample(schema as JsonSchema, name, making) // TypeBox schemas are JSON Schemas; the keywords are read by name
}

function sample(schema: JsonSchema, name: string, making: Making | undefined): unknown {
  const { examples, enum: words, anyOf, oneOf, allOf } = schema
  const branches = anyOf ?? oneOf
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type
  const hasParts = Array.isArray(branches ?? allOf) || type === 'object' || type === 'array'
  if (making === undefined || !hasParts) {
    const own = schema.const === undefined && !Array.isArray(words) ? making?.own(schema as TSchema, name) : undefined // as above
    if (own !== undefined) return own
    if (Array.isArray(examples) && examples.length > 0) return examples[0]
    if (schema.default !== undefined) return schema.default
  }
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(words)) return words[0]
  if (Array.isArray(branches)) return sample(branches[0], name, making)
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map((part) => sample(part, name, making)))
  switch (type) {
    case 'string':
      return sampleText(schema, name)
    case 'integer':
    case 'number':
      return sampleNumber(schema)
    case 'boolean':
      return true
    case 'array':
      return sampleArray(schema, name, making)
    case 'object':
      return sampleObject(schema, making)
    default:
      return null
  }
}

function sampleObject({ properties, required }: JsonSchema, making: Making | undefined): Record<string, unknown> {
  const entries = Object.entries((properties ?? {}) as Record<string, JsonSchema>) // a map by definition
  const wanted = entries.filter(([name]) => !making?.least || (Array.isArray(required) && required.includes(name)))
  const made = wanted.map(([name, property]): [string, unknown] => [name, sample(property, name, making)])
  return Object.fromEntries(made.filter(([, value]) => value !== LEFT_OUT))
}

function sampleArray({ items, minItems, maxItems }: JsonSchema, name: string, making: Making | undefined): unknown[] {
  if (maxItems === 0 || typeof items !== 'object' || items === null) return []
  const least = typeof minItems === 'number' ? minItems : 0
  const length = making?.least ? least : Math.max(least, 1)
  const made = Array.from({ length }, () => sample(items as JsonSchema, name, making)) // a schema by definition
  return made.filter((value) => value !== LEFT_OUT)
}

function sampleNumber({ minimum, maximum, exclusiveMinimum, multipleOf }: JsonSchema): number {
  const least = typeof minimum === 'number' ? minimum : typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : 1
  const value = typeof maximum === 'number' ? Math.min(Math.max(least, 1), maximum) : Math.max(least, 1)
  return typeof multipleOf === 'number' ? Math.ceil(value / multipleOf) * multipleOf : value
}

const BY_FORMAT: Record<string, string> = {
  uuid: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f',
  'date-time': '2026-01-31T12:00:00.000Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
}

const BY_NAME: [RegExp, string][] = [
  [/(^|_)email$/, 'ada@example.com'],
  [/_url$|^url$/, 'https://example.com/'],
  [/phone/, '+41 44 123 45 67'],
  [/locale|language/, 'en'],
  [/timezone/, 'Europe/Zurich'],
  [/currency/, 'EUR'],
  [/country/, 'CH'],
  [/color/, '#1a73e8'],
  [/slug/, 'acme'],
  [/^code$|_code$/, 'MAIN'],
  [/ip_address/, '192.0.2.1'],
  [/password/, 'correct horse battery staple'],
  [/token|cursor|secret/, 'bm90LWEtcmVhbC10b2tlbg'],
  [/name/, 'Ada Lovelace'],
]

const WORDS = [
  'Example',
  'example',
  'example.one',
  'E',
  'EX',
  'EXA',
  '1',
  '12:00',
  '123456',
  '#1a73e8',
  '2026-01-31',
  'a@b.ch',
  '1.0',
]

function sampleText(schema: JsonSchema, name: string): string {
  const named = BY_NAME.filter(([pattern]) => pattern.test(name)).map(([, text]) => text)
  const byFormat = BY_FORMAT[String(schema.format)]
  const candidates = byFormat ? [byFormat] : [...named, ...WORDS]
  const padded =
    typeof schema.minLength === 'number' ? candidates.map((text) => text.padEnd(Number(schema.minLength), 'x')) : []
  return [...candidates, ...padded].find((text) => fits(schema, text)) ?? candidates[0] ?? ''
}

function fits({ minLength, maxLength, pattern }: JsonSchema, text: string): boolean {
  if (typeof minLength === 'number' && text.length < minLength) return false
  if (typeof maxLength === 'number' && text.length > maxLength) return false
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text)
}
