import type { TSchema } from 'typebox'
import type { JsonSchema } from './openapi-types.ts'

/**
 * A value that fits a schema: its own example or default where it has one, else something made up by its format, its
 * name and its limits. A pattern that none of the words here fits needs `examples`: a test says which.
 */
export function sampleOf(schema: TSchema, name = ''): unknown {
  return sample(schema as JsonSchema, name) // TypeBox schemas are JSON Schemas; the keywords are read by name
}

function sample(schema: JsonSchema, name: string): unknown {
  const { examples, enum: words, anyOf, oneOf, allOf } = schema
  if (Array.isArray(examples) && examples.length > 0) return examples[0]
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(words)) return words[0]
  const branches = anyOf ?? oneOf
  if (Array.isArray(branches)) return sample(branches[0], name)
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map((part) => sample(part, name)))
  switch (Array.isArray(schema.type) ? schema.type.find((type) => type !== 'null') : schema.type) {
    case 'string':
      return sampleText(schema, name)
    case 'integer':
    case 'number':
      return sampleNumber(schema)
    case 'boolean':
      return true
    case 'array':
      return sampleArray(schema, name)
    case 'object':
      return sampleObject(schema)
    default:
      return null
  }
}

function sampleObject({ properties }: JsonSchema): Record<string, unknown> {
  const entries = Object.entries((properties ?? {}) as Record<string, JsonSchema>) // a map by definition
  return Object.fromEntries(entries.map(([name, property]) => [name, sample(property, name)]))
}

function sampleArray({ items, minItems, maxItems }: JsonSchema, name: string): unknown[] {
  if (maxItems === 0 || typeof items !== 'object' || items === null) return []
  const length = typeof minItems === 'number' ? Math.max(minItems, 1) : 1
  return Array.from({ length }, () => sample(items as JsonSchema, name)) // a schema by definition
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
