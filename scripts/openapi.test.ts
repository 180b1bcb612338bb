import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isStale } from './openapi.ts'

test('docs/openapi.json is current', () => {
  assert.ok(!isStale(), 'run node scripts/openapi.ts')
})
