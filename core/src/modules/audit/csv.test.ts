import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { readCsv } from './audit.fixture.ts'
import { csvLine } from './csv.ts'

test('fields are quoted where they must be, and lines end as RFC 4180 has it', () => {
  assert.equal(
    csvLine(['plain', 'a,b', 'say "hi"', 'two\nlines', ' edge ']),
    'plain,"a,b","say ""hi""","two\nlines"," edge "\r\n',
  )
})

test('null is nothing and an empty text is a text; objects are JSON', () => {
  assert.equal(csvLine([null, undefined, '', { a: 'b' }, [1], 5]), ',,"","{""a"":""b""}",[1],5\r\n')
})

test('nothing becomes a formula', () => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1'])
    assert.equal(readCsv(csvLine([formula]))[0]?.[0], `'${formula}`)
  assert.equal(csvLine(['a=1', '1-2']), 'a=1,1-2\r\n')
})

test('what is written can be read, whatever it is', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab,"\r\n= \'é') })
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 2, maxLength: 2 }), { minLength: 1 }), (rows) => {
      const inert = rows.map((row) => row.map((field) => (/^[=\r\n]/.test(field) ? `'${field}` : field)))
      assert.deepEqual(readCsv(rows.map(csvLine).join('')), inert)
    }),
    { seed: SEED },
  )
})
