import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentFields, findBroken, promisedFields } from './event-fields.ts'

test('what goes out has every field that its version promises, and promises every one that it has', () => {
  assert.deepEqual(findBroken(promisedFields(), currentFields()), [])
  assert.deepEqual(currentFields(), promisedFields(), 'npm run event-fields writes down what was added')
})

test('an event, a field or a type that is gone is named, and what is added is not', () => {
  const promised = { 'a.b': { id: 'string', 'deep.one': 'string' }, 'a.c': { id: 'string' } }
  const current = { 'a.b': { id: 'null | string', more: 'string' }, 'a.d': { id: 'string' } }
  assert.deepEqual(findBroken(promised, current), [
    'a.b: id was string and is null | string',
    'a.b: deep.one is gone',
    'a.c goes out no more',
  ])
  assert.deepEqual(findBroken(promised, { ...promised, more: {}, 'a.c': { id: 'string', more: 'string' } }), [])
})
