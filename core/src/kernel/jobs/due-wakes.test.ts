import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import { startLooking } from './due-wakes.ts'

describe('wakes that were put off', () => {
  let test: TestCore
  let listener: pg.Client
  const told: number[] = []
  before(async () => {
    test = await createTestCore()
    listener = new pg.Client({ connectionString: test.database.superuserUrl })
    await listener.connect()
    listener.on('notification', ({ payload = '{}' }) => told.push(JSON.parse(payload).count))
    await listener.query('listen "jobs:insert"')
  })
  after(async () => {
    await listener.end()
    await test.close()
  })

  it('are told of when they become due, and not before', async () => {
    const add = (jobs: number, delay: string) =>
      test.core.db.systemQuery(
        `select ${QUEUE_SCHEMA}.add_job('nobody', '{}', run_at => now() + $2::interval) from generate_series(1, $1::int)`,
        [jobs, delay],
      )
    const stop = startLooking(test.core, 20)
    await add(1, '1 hour')
    await add(2, '4 seconds')
    // A word of the queue for each that is added; then no look but that which finds the two.
    await until('the two that are due are told of', () => told.includes(2))
    const due = await test.core.db.systemQuery(`select from ${QUEUE_SCHEMA}._private_jobs where run_at <= now()`)
    assert.equal(due.length, 2)
    await stop()
    assert.deepEqual(told.slice(0, told.indexOf(2)), [1, 1, 1])
  })
})
