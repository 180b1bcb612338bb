import assert from 'node:assert/strict'
import { test } from 'node:test'
import type pg from 'pg'
import { Statement } from './statement.ts'

test('a statement that is refused as it is sent throws at once, so that no COMMIT follows it', () => {
  const statement = new Statement({ text: 'select 1' })
  const refusing = {
    // As pg tells it when a message cannot be built, for want of memory say.
    query: () => (statement as unknown as pg.Query & { callback(error: Error): void }).callback(new Error('too large')),
  }
  let later: Promise<unknown> | undefined
  assert.throws(() => {
    later = statement.send(refusing as unknown as pg.PoolClient) // nothing else of it is used
    later.catch(() => {})
  }, /too large/)
  assert.equal(later, undefined)
})
