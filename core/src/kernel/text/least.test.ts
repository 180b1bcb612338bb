import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greatest, least } from './least.ts'

test('the least and the greatest are of those that there are', () => {
  assert.equal(least('b', 'a', null, undefined, 'c'), 'a')
  assert.equal(greatest('b', 'a', null, undefined, 'c'), 'c')
  assert.equal(least('b'), 'b')
  assert.equal(least(null, undefined), null)
  assert.equal(greatest(), null)
  assert.equal(greatest('', null), '')
})
