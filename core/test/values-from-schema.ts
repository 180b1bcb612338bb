import fc from 'fast-check'
import type { JsonSchema, OpenApiDocument } from '../src/kernel/http/openapi.ts'

/** Makes values for a schema; the name of the field tells what a plain string stands for. */
export type Values = (schema: JsonSchema, name?: string) => fc.Arbitrary<unknown>

/** Half of the time undefined; almost never when it is `always` wanted. */
export const sometimes = <T>(value: fc.Arbitrary<T>, always: boolean) =>
  fc.option(value, { nil: undefined, freq: always ? 20 : 1 })
/** One time in ten; else undefined. */
export const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

const IDS = fc.oneof(
  { weight: 5, arbitrary: fc.nat(49).map((n) => `@mine:${n}@`) },
  { weight: 3, arbitrary: fc.nat(49).map((n) => `@theirs:${n}@`) },
  { weight: 1, arbitrary: fc.uuid() },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'x', '0', '00000000-0000-0000-0000-000000000000', 'me', '..', '%2e%2e', '\0'),
  },
)

const HOSTILE = fc.constantFrom(
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '__proto__',
  'constructor',
  "' or 1=1 --",
  '";',
  '%',
  '%00',
  '\\',
  '../../../etc/passwd',
  '<script>alert(1)</script>',
  '\u202eabc',
  '👩‍👩‍👧‍👦',
  'é\u0301',
  'İ',
  'ß',
  '\r\nx: y',
  '9'.repeat(400),
  'x'.repeat(3000),
  '*',
  '_',
  '%%%',
  '2026-02-30T25:61:00Z',
  '-1',
  '1e309',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  'a@b',
  '@',
  'a@@b.ch',
  'ａ＠ｂ.ch',
) // prettier to read in rows than one to a line

/** Anything that JSON can say. */
export const WILD: fc.Arbitrary<unknown> = fc.oneof(
  HOSTILE,
  fc.constantFrom(null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308),
  fc.array(fc.anything({ maxDepth: 2 }), { maxLength: 3 }).map(jsonOf),
  fc.object({ maxDepth: 2 }).map(jsonOf),
  IDS,
)

/** As JSON can say it. */
function jsonOf(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? Number(each) : each))
  return text === undefined ? null : JSON.parse(text)
}

/** Values for a schema: mostly such as fit it, at each place sometimes not. */
export function valuesFor({ components }: OpenApiDocument): Values {
  const made = new Map<JsonSchema, fc.Arbitrary<unknown>>()
  const values: Values = (schema, name = '') => {
    const known = made.get(schema)
    if (known) return known
    const arbitrary = fc.oneof(
      { weight: 15, arbitrary: fc.oneof(...fitting(schema, name)) },
      { weight: 1, arbitrary: WILD },
    )
    made.set(schema, arbitrary)
    return arbitrary
  }

  function fitting(schema: JsonSchema, name: string): fc.Arbitrary<unknown>[] {
    if (typeof schema.$ref === 'string')
      return [values(components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, name)]
    const branches = schema.anyOf ?? schema.oneOf
    if (Array.isArray(branches)) return branches.map((branch) => values(branch, name))
    if (schema.const !== undefined) return [fc.constant(schema.const)]
    if (Array.isArray(schema.enum)) return [fc.constantFrom(...schema.enum)]
    const types = Array.isArray(schema.type) ? schema.type : [schema.type]
    const examples =
      Array.isArray(schema.examples) && schema.format !== 'uuid' ? [fc.constantFrom(...schema.examples)] : []
    return [...examples, ...types.map((type) => typed(type, schema, name))]
  }

  function typed(type: unknown, schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
    if (type === 'string') return texts(schema, name)
    if (type === 'integer' || type === 'number') return numbers(schema)
    if (type === 'boolean') return fc.boolean()
    if (type === 'null') return fc.constant(null)
    if (type === 'array') return fc.array(values((schema.items ?? {}) as JsonSchema, name), { maxLength: 3 }) // a schema by definition
    if (type === 'object') return objects(schema)
    return WILD
  }

  function objects({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
    const entries = Object.entries(properties as Record<string, JsonSchema>) // a map by definition
    const record = fc.tuple(
      ...entries.map(
        ([name, schema]) =>
          sometimes(fc.tuple(fc.constant(name), values(schema, name)), (required as string[]).includes(name)), // names by definition
      ),
    )
    const more = rarely(
      fc.constantFrom<[string, unknown]>(
        ['x', 1],
        ['tenant_id', '@theirs:0@'],
        ['id', '@theirs:1@'],
        ['is_super_admin', true],
      ),
    )
    return fc
      .tuple(record, more)
      .map(([given, extra]) => Object.fromEntries([...given, extra].filter((pair) => pair !== undefined)))
  }
  return values
}

function texts({ format, maxLength, minLength }: JsonSchema, name: string): fc.Arbitrary<string> {
  if (format === 'uuid' || /(^|_)ids?$/.test(name)) return IDS
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (/email/.test(name)) return fc.emailAddress()
  const most = typeof maxLength === 'number' ? maxLength : 1000
  const least = typeof minLength === 'number' ? Math.min(minLength, most) : 0
  const usual = { minLength: least, maxLength: Math.max(least, Math.min(most, 50)) }
  // At the limit, above it, and at it in characters that take two code units or four bytes.
  const limits = fc.constantFrom('x'.repeat(most), 'x'.repeat(most + 1), '𝖷'.repeat(most), 'é'.repeat(most))
  return fc.oneof(fc.string(usual), fc.string({ ...usual, unit: 'grapheme' }), limits, HOSTILE)
}

function numbers({ minimum, maximum }: JsonSchema): fc.Arbitrary<number> {
  const min = typeof minimum === 'number' ? minimum - 1 : -10
  return fc.integer({ min, max: typeof maximum === 'number' ? maximum + 1 : Math.max(min, 1000) })
}
