import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { createQueuePool } from './queue-pool.ts'

let core: TestCore
before(async () => {
  core = await createTestCore()
})
after(() => core?.close())

test('a connection of the queue that is given back twice is given back once', async () => {
  const pool = createQueuePool(core.core, 1)
  try {
    const { promise, resolve } = Promise.withResolvers<() => void>()
    pool.connect((_error, _client, release) => resolve(release))
    const release = await promise
    release()
    release()
    const { rows } = await pool.query('select 1 as one')
    assert.deepEqual(rows, [{ one: 1 }])
  } finally {
    await pool.end()
  }
})
