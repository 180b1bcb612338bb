import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../errors.ts'
import { Closed, Line, Type } from '../index.ts'
import { parseJson, readText } from './json-text.ts'

const Free = Type.Object({}, { additionalProperties: true })
const codeOf = (json: string, schema = Free): string => {
  try {
    parseJson(Buffer.from(json), schema)
  } catch (error) {
    assert.ok(error instanceof AppError)
    return error.code
  }
  return 'taken'
}

describe('JSON of a raw body', () => {
  it('brings in nothing that could change a prototype, however it is spelled and however deep', () => {
    for (const json of [
      '{"__proto__":{"admin":true}}',
      '{"a":[{"b":{"__proto__":1}}]}',
      '{"\\u005f_proto__":{}}',
      '{"a":{"constructor":{"prototype":{"admin":true}}}}',
      '{"c\\u006fnstructor":{"prototype":1}}',
    ])
      assert.equal(codeOf(json), 'invalid_json', json)
    for (const json of [
      '{"constructor":"Ltd"}',
      '{"a":"__proto__"}',
      '{"constructor":{"name":"x"}}',
      '{"prototype":1}',
    ])
      assert.equal(codeOf(json), 'taken', json)
  })

  it('has its texts in the forms that the schema names, before it is checked', () => {
    const Named = Closed({ name: Line(5, 'x'), inner: Type.Array(Closed({ name: Line(5, 'x') })) })
    const read = parseJson(Buffer.from('{"name":"  a   b  ","inner":[{"name":"c\\u200b"}]}'), Named)
    assert.deepEqual(read, { name: 'a b', inner: [{ name: 'c' }] })
    assert.equal(codeOf('{"name":"   ","inner":[]}', Named as unknown as typeof Free), 'invalid_request') // a schema like any other
  })

  it('may begin with a byte order mark', () => {
    assert.equal(codeOf('\ufeff{"a":1}'), 'taken')
    assert.equal(codeOf('\ufeff\ufeff{"a":1}'), 'invalid_json')
  })

  it('has no number beyond all that can be kept, however it is written', () => {
    const digits = (count: number) => '9'.repeat(count)
    for (const number of [
      '1e309',
      `${digits(309)}`,
      `${digits(250)}e99`,
      `${digits(211)}E+98`,
      `${digits(210)}.5e99`,
    ]) {
      assert.equal(Number.isFinite(Number(number)), false, number)
      assert.equal(readText(Buffer.from(`[${number}]`)).maybeUnstorable, true, number)
      assert.equal(codeOf(`{"a":${number}}`), 'invalid_request', number)
      assert.equal(codeOf(`{"a":-${number}}`), 'invalid_request', number)
    }
    for (const number of [`${digits(199)}e99`, `${digits(250)}`, '1e308'])
      assert.equal(codeOf(`{"a":${number}}`), 'taken')
  })
})
