import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Type } from 'typebox'
import { problemsOfPublished, publicData, publicSchema } from './published.ts'

const secret = Type.String({ secret: true })
const thing = Type.Object({
  id: Type.String(),
  pin: secret,
  codes: Type.Array(secret),
  maybe: Type.Union([Type.Object({ key: Type.String() }, { secret: true }), Type.Null()]),
  parts: Type.Array(Type.Object({ name: Type.String(), key: secret })),
  form: Type.Union([
    Type.Object({ kind: Type.Literal('a'), a: Type.String(), both: Type.String() }),
    Type.Object({ kind: Type.Literal('b'), b: Type.String(), both: secret }),
  ]),
  open: Type.Object({}, { additionalProperties: true }),
  named: Type.Record(Type.String({ pattern: '^x_' }), Type.Object({ a: Type.String() })),
})

const value = {
  id: '1',
  pin: '1234',
  codes: ['one', 'two'],
  maybe: { key: 'k' },
  parts: [{ name: 'bulb', key: 'k', more: 1 }],
  form: { kind: 'b', b: 'B', both: 'hidden' },
  open: { whatever: [1, { it: 'is' }] },
  named: { x_1: { a: 'A', more: 1 }, y: { a: 'not named' } },
  unnamed: 'stays',
}

describe('data that goes out', () => {
  test('has what its schema names and no secret, in lists and unions too', () => {
    assert.deepEqual(publicData(thing, value), {
      id: '1',
      parts: [{ name: 'bulb' }],
      form: { kind: 'b', b: 'B' },
      open: value.open,
      named: { x_1: { a: 'A' } },
    })
    assert.equal(JSON.stringify(publicData(thing, value)).includes('hidden'), false)
    assert.deepEqual(publicData(thing, { form: null as never, maybe: null as never }), { form: null })
  })

  test('has a schema that names neither', () => {
    const schema = publicSchema(thing) as unknown as { properties: Record<string, unknown>; required: string[] } // plain JSON Schema
    assert.deepEqual(Object.keys(schema.properties), ['id', 'parts', 'form', 'open', 'named'])
    assert.deepEqual(schema.required, ['id', 'parts', 'form', 'open', 'named'])
    assert.equal(JSON.stringify(schema).includes('secret'), false)
  })

  test('is refused where it could not be told what is secret', () => {
    const refused = [
      Type.Object({ both: Type.Intersect([Type.Object({ a: secret }), Type.Object({})]) }),
      Type.Object({ deep: Type.Array(Type.Object({ two: Type.Tuple([Type.String(), secret]) })) }),
    ]
    for (const schema of refused) assert.ok([...problemsOfPublished(schema)].length > 0)
    assert.deepEqual([...problemsOfPublished(thing)], [])
  })
})
