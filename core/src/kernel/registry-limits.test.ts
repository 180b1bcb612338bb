import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { LimitSpec } from './access/specs.ts'
import { defineModule } from './module.ts'
import { createRegistry, RegistryError } from './registry.ts'

const problemsOf = (limits: Record<string, unknown>): readonly string[] => {
  try {
    createRegistry([defineModule({ name: 'shop', limits: limits as Record<string, LimitSpec> })]) // wrong on purpose
    return []
  } catch (error) {
    assert.ok(error instanceof RegistryError)
    return error.problems
  }
}

it('a limit is of one of its kinds, and says for each plan how many', () => {
  const title = 'Things'
  assert.deepEqual(
    problemsOf({ things: { title, counts: 'things', plans: { free: 0, starter: 5, business: null } } }),
    [],
  )
  assert.deepEqual(problemsOf({ 'shop.prints': { title, per: 'period' } }), [])
  const kinds = "says not exactly one of counts (a table), holds (bytes) and per ('period' or 'minute')"
  assert.deepEqual(problemsOf({ things: { title } }), [`limit things ${kinds}`])
  assert.deepEqual(problemsOf({ things: { title, counts: 'things', per: 'period' } }), [`limit things ${kinds}`])
  assert.deepEqual(problemsOf({ things: { title, counts: 'things; drop' } }), [
    'limit things counts things; drop, which is no name of a table',
  ])
  assert.deepEqual(problemsOf({ 'No Word': { title, per: 'period' } }), [
    'limit No Word has a name that is no snake_case word',
  ])
  assert.deepEqual(problemsOf({ space: { title, holds: 'bytes', plans: { free: 1_000 } } }), [])
  assert.deepEqual(problemsOf({ space: { title, holds: 'bytes', per: 'period' } }), [`limit space ${kinds}`])
  assert.deepEqual(problemsOf({ space: { title, holds: '<b>' } }), [
    'limit space holds <b>, which is no word for what is counted',
  ])
  for (const max of [-1, 1.5, '5'])
    assert.deepEqual(problemsOf({ things: { title, per: 'period', plans: { free: max } } }), [
      'limit things has for the plan free neither a whole number from 0 nor null',
    ])
})
