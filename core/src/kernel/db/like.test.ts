import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containing } from './like.ts'

test('what a person writes finds nothing but itself', () => {
  assert.equal(containing('50%_of\\'), '%50\\%\\_of\\\\%')
})
