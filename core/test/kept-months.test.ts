import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { DAYS, firstIdAt } from '#kernel'
import { tidyMonths } from '../src/kernel/db/months.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

/** Events are kept for 30 days; what is sent of them, and every attempt, for 34. */
const KEPT_DAYS = { events: 34, webhook_deliveries: 34, webhook_attempts: 34 }
const TABLES = Object.keys(KEPT_DAYS) as (keyof typeof KEPT_DAYS)[] // as listed

let test: TestCore
before(async () => {
  test = await createTestCore()
})
after(() => test?.close())

const months = async (table: string): Promise<string[]> => {
  const rows = await test.core.db.systemQuery<{ name: string }>(
    `select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = to_regclass('core.' || $1) and c.relname ~ '_[0-9]{6}$' order by 1`,
    [table],
  )
  return rows.map(({ name }) => name.slice(-6))
}
const monthOf = (ms: number) => new Date(ms).toISOString().slice(0, 7).replace('-', '')
/** The month that ended on the last day that is kept, or just before. */
const monthBefore = (ms: number) => {
  const date = new Date(ms)
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1))
}
const make = (table: string, from: Date, count = 1) =>
  test.core.db.systemQuery('select tenantry.ensure_partitions($1, $2::date, $3)', [table, from.toISOString(), count])

describe('tables whose months are kept for some days', () => {
  it('are those that grow with what happens', async () => {
    const rows = await test.core.db.systemQuery<{ name: string; kept_days: number }>(
      'select name, kept_days from tenantry.tables where kept_days is not null',
    )
    const kept = Object.fromEntries(rows.map(({ name, kept_days }) => [name, kept_days]))
    for (const table of TABLES) assert.equal(kept[table], KEPT_DAYS[table], table)
  })

  it('lose a month when all that is in it is old enough, and no day sooner, and have the next ones', async () => {
    const now = Date.now()
    for (const table of TABLES) {
      // The database's own clock says what is old.
      const oldest = now - KEPT_DAYS[table] * DAYS
      const gone = monthBefore(oldest)
      await make(table, new Date(Date.UTC(2024, 0, 1)), 2)
      await make(table, gone, 2)
      await test.core.db.systemQuery("select tenantry.ensure_partitions($1, '2024-06-01'::date, 1)", [table])
    }
    await tidyMonths(test.core)
    for (const table of TABLES) {
      const oldest = now - KEPT_DAYS[table] * DAYS
      const left = await months(table)
      assert.equal(left[0], monthOf(oldest), `${table} keeps the month of its oldest day`)
      const next = [0, 1, 2].map((ahead) => {
        const date = new Date(now)
        return monthOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead, 1))
      })
      for (const month of next) assert.ok(left.includes(month), `${table} ${month}`)
    }
  })

  it('keep a month that somebody reads until the next run', async () => {
    const [table] = TABLES
    assert.ok(table)
    await make(table, new Date(Date.UTC(2024, 0, 1)))
    const reader = new pg.Client({ connectionString: test.database.superuserUrl })
    await reader.connect()
    try {
      await reader.query('begin')
      await reader.query('select from core.events_202401')
      await tidyMonths(test.core)
      assert.equal((await months(table))[0], '202401')
      assert.ok(test.logs.some((line) => line.includes('a table is in use, and its months are tidied later')))
      // Nothing waits behind it: what happens goes on being written.
      const { id: tenantId } = await test.foundTenant()
      const [row] = await test.core.db.systemQuery<{ n: number }>(
        'select count(*)::int as n from events where tenant_id = $1 and id >= $2',
        [tenantId, firstIdAt(Date.now() - DAYS)],
      )
      assert.ok(row && row.n > 0)
      await reader.query('rollback')
    } finally {
      await reader.end()
    }
    await tidyMonths(test.core)
    assert.notEqual((await months(table))[0], '202401')
  })

  it('are dropped by whoever tidies alone', async () => {
    const app = new pg.Client({ connectionString: test.database.appUrl })
    await app.connect()
    try {
      await assert.rejects(app.query("select tenantry.drop_oldest_month('events')"), /permission denied/)
    } finally {
      await app.end()
    }
    await assert.rejects(
      test.core.db.systemQuery("select tenantry.drop_oldest_month('audit_logs')"),
      /not to be dropped/,
    )
  })
})
