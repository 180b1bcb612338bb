import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import Type, { type TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { SEED } from '../../testing/seed.ts'
import { Closed, Day, Email, Line, Nullable, OneOf } from './schemas.ts'
import { atLeastOne, coercion, collectProblems, lazyCheck, MAX_PROBLEMS, unstorable } from './validate.ts'

const problemsOf = (schema: TSchema, value: unknown) => collectProblems(lazyCheck(schema)(value, '#'))
const asSchema = (keywords: object) => keywords as TSchema // JSON Schema by hand

/** Every keyword that somebody may write, those that nobody here has words for among them. */
const SCHEMAS: TSchema[] = [
  Closed({
    a: Type.String({ minLength: 1, maxLength: 3 }),
    b: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
  }),
  Closed({ a: Nullable(OneOf(['x', 'y'])), b: Nullable(Line(5, 'x')), c: Type.Optional(Nullable(Email)) }),
  Type.Partial(Closed({ a: Type.Array(Closed({ b: Type.Boolean() }), { minItems: 1, maxItems: 2 }) }), {
    additionalProperties: false,
  }),
  Type.Union([Closed({ a: Type.Literal(1) }), Closed({ b: Type.Null() })]),
  Type.Intersect([Type.Object({ a: Type.Number() }), Type.Object({ b: Type.String() })]),
  Type.Record(Type.String({ pattern: '^[a-b]$' }), Type.Integer(), { additionalProperties: false }),
  Type.Tuple([Type.String(), Type.Integer()]),
  Type.Refine(Type.Object({}), (value) => !('a' in value)),
  asSchema({ type: 'object', dependentRequired: { a: ['b'] } }),
  asSchema({ type: 'object', propertyNames: { maxLength: 1 }, minProperties: 1, maxProperties: 2 }),
  asSchema({ type: 'array', uniqueItems: true, contains: { type: 'integer' } }),
  asSchema(JSON.parse('{"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"integer","multipleOf":2}}')),
  asSchema({ not: { type: 'object' } }),
  asSchema({ type: 'object', unevaluatedProperties: false, properties: { a: {} } }),
  asSchema({ type: 'object', additionalProperties: { type: 'string', format: 'date-time' } }),
  asSchema({ type: 'object', properties: { a: false } }),
]

const VALUES = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'c', 'ab', '__proto', 'toString', '/~'), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 70,
  }),
  fc.array(fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 0 }), { maxKeys: 80 }), {
    maxLength: 70,
  }),
)

describe('a check', () => {
  test('names a problem exactly for what the schema refuses, whatever its keywords', () => {
    const property = fc.property(fc.constantFrom(...SCHEMAS), VALUES, (schema, value) => {
      const found = problemsOf(schema, value)
      assert.equal(found.length === 0, Check(schema, value), JSON.stringify([schema, value, found]))
      assert.ok(found.length <= MAX_PROBLEMS)
    })
    fc.assert(property, { seed: SEED, numRuns: 3_000 })
  })

  test('that can say nothing still refuses', () => {
    assert.deepEqual(collectProblems(atLeastOne([], '#/a')), [
      { pointer: '#/a', detail: 'does not have the form that is asked for' },
    ])
    assert.deepEqual(problemsOf(asSchema({ type: 'object', dependentRequired: { a: ['b'] } }), { a: 1 }), [
      { pointer: '#', detail: 'does not have the form that is asked for' },
    ])
  })

  test('looks no further once there are as many problems as are told', () => {
    let looked = 0
    const item = Type.Refine(Type.Integer(), () => {
      looked++
      return false
    })
    const list = Array.from({ length: 100_000 }, (_, at) => at)
    assert.equal(problemsOf(Type.Array(item), list).length, MAX_PROBLEMS)
    assert.ok(looked <= MAX_PROBLEMS + 1, `${looked} looked at`)
    assert.equal(collectProblems(unstorable(Array(100_000).fill('\0'), '#')).length, MAX_PROBLEMS)
  })

  test('names what is missing and what is wrong before what is unknown', () => {
    const junk = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`junk_${at}`, 1]))
    const found = problemsOf(Closed({ a: Type.String(), b: Type.String() }), { ...junk, b: 5 })
    assert.deepEqual(found.slice(0, 2), [
      { pointer: '#/a', detail: 'is required' },
      { pointer: '#/b', detail: 'must be text' },
    ])
    assert.equal(found.length, MAX_PROBLEMS)
  })

  test('says one sentence for each broken rule, and no regular expression', () => {
    const schema = Closed({
      long: Type.String({ maxLength: 3, pattern: '^x+$' }),
      form: Type.String({ pattern: '^[a-z]+$', examples: ['abc'] }),
      said: Type.String({ pattern: '^[a-z]+$', says: 'must be small letters' }),
      empty: Line(5, 'x'),
      none: Type.Array(Type.String(), { minItems: 1 }),
      few: Type.Array(Type.String(), { minItems: 2 }),
      word: OneOf(['yes', 'no']),
      size: Nullable(Type.Integer({ minimum: 1, maximum: 9 })),
      kind: Nullable(Type.Integer()),
      id: Type.String({ format: 'uuid' }),
    })
    const value = {
      long: 'aaaa',
      form: 'A',
      said: 'A',
      empty: '',
      none: [],
      few: [],
      word: 5,
      size: 10,
      kind: 'x',
      id: 'x',
    }
    assert.deepEqual(Object.fromEntries(problemsOf(schema, value).map(({ pointer, detail }) => [pointer, detail])), {
      '#/long': 'must have at most 3 characters',
      '#/form': 'does not have the form that is asked for, such as abc',
      '#/said': 'must be small letters',
      '#/empty': 'must not be empty',
      '#/none': 'must not be empty',
      '#/few': 'must have at least 2 entries',
      '#/word': 'must be one of: yes, no',
      '#/size': 'must be at most 9',
      '#/kind': 'must be a whole number or null',
      '#/id': 'must be a UUID',
    })
    assert.equal(problemsOf(schema, value).length, 10)
  })

  test('cuts pointers that hold long names', () => {
    const [problem] = problemsOf(Closed({}), { ['😀'.repeat(50_000)]: 1 })
    assert.ok((problem?.pointer.length ?? 0) < 250)
    assert.ok(problem?.pointer.isWellFormed())
  })
})

test('a query keeps fields that are named like what objects have', () => {
  const query = coercion(Type.Object({ n: Type.Integer() }))(
    Object.assign(Object.create(null), { n: '5', ['__proto__']: 'x', toString: 'y' }),
  )
  assert.deepEqual(Object.keys(query).sort(), ['__proto__', 'n', 'toString'])
  assert.equal(query.n, 5)
})

test('a day is one of the calendar, without a time', () => {
  const schema = Closed({ day: Day('When') })
  assert.deepEqual(problemsOf(schema, { day: '2028-02-29' }), [])
  for (const day of ['2026-02-29', '2026-01-31T12:00:00Z', '31.1.2026', ''])
    assert.deepEqual(problemsOf(schema, { day }), [{ pointer: '#/day', detail: 'must be a date such as 2026-01-31' }])
})
