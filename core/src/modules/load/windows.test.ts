import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { HOURS, MINUTES, momentAt, SECONDS } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { createCounting, readLoad, valuesOf } from './load.fixture.ts'
import { mergeLoad } from './merge.ts'
import { createWriter, FLUSH_MS, loadWriter } from './writer.ts'

let first: TestCore
let second: TestCore
let operator: TestPerson
before(async () => {
  first = await createCounting()
  second = await createCounting({ database: first.database })
  operator = await first.addOperator(['support'])
})
after(async () => {
  await second?.close()
  await first?.close()
})

const both = () => [first, second]
const read = (window?: '5m' | '24h') => readLoad(both(), operator, window)
const query = <R extends object>(text: string, values: unknown[] = []) =>
  first.core.db.systemQuery<R & {}>(text, values)
const merge = async () => {
  for (const { core } of both()) await core.use(loadWriter).flush()
  await first.runSchedule(mergeLoad)
}

describe('the windows of load', () => {
  // However long it takes here, time passes only where a test says so.
  before(() => {
    for (const { clock } of both()) clock.stop()
  })
  after(() => {
    for (const { clock } of both()) clock.start()
  })

  const advance = (ms: number) => {
    for (const { clock } of both()) clock.advance(ms)
  }
  const rowsOf = async (table: string, id: string) =>
    (await query<{ requests: number }>(`select requests from ${table} where tenant_id = $1`, [id])).map(
      ({ requests }) => requests,
    )
  const requestsOf = async (window: '5m' | '24h', id: string) => valuesOf(await read(window), id).requests
  const count = (id: string, requests: number) => {
    first.core.load.of(id).requests += requests
  }

  it('are five minutes and a day, and a figure leaves each in its time', async () => {
    const { id } = await first.foundTenant()
    count(id, 100_000)
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [100_000, 0])
    advance(4 * MINUTES)
    count(id, 50_000)
    assert.equal(await requestsOf('5m', id), 150_000)
    advance(4 * MINUTES)
    await merge()
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [50_000, 100_000])
    advance(10 * MINUTES)
    await merge()
    assert.deepEqual(await rowsOf('load_minutes', id), [])
    assert.equal(
      (await rowsOf('load_quarters', id)).reduce((sum, requests) => sum + requests, 0),
      150_000,
    )
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [0, 150_000])
    advance(20 * HOURS)
    count(id, 7_000)
    await merge()
    advance(10 * MINUTES)
    await merge()
    assert.equal(await requestsOf('24h', id), 157_000)
    advance(5 * HOURS)
    await merge()
    assert.equal(await requestsOf('24h', id), 7_000)
    advance(25 * HOURS)
    await merge()
    assert.equal(await requestsOf('24h', id), 0)
    for (const table of ['load_minutes', 'load_quarters', 'load_totals']) assert.deepEqual(await rowsOf(table, id), [])
  })

  it('say from when to when, also while nobody merges', async () => {
    const { id } = await first.foundTenant()
    count(id, 1)
    await read()
    advance(10 * MINUTES)
    await merge()
    const short = await read()
    const spanMs = ({ from, to }: { from: string; to: string }) => Date.parse(to) - Date.parse(from)
    assert.ok(spanMs(short) >= 5 * MINUTES && spanMs(short) < 6 * MINUTES + 10 * SECONDS)
    const long = await read('24h')
    assert.ok(spanMs(long) >= 24 * HOURS - 9 * MINUTES && spanMs(long) <= 24 * HOURS + 15 * MINUTES)
    const [unmerged] = await query<{ first: string }>('select min(starts_at) as first from load_minutes')
    assert.equal(long.to, unmerged?.first)
    advance(30 * HOURS)
    // Nothing has taken it off or added to it: so it spans what it did.
    const late = await read('24h')
    assert.ok(late.from < momentAt(first.clock.ms() - 30 * HOURS))
    assert.equal(late.to, long.to)
    assert.equal(valuesOf(late, id).requests, 1)
    await merge()
    assert.ok(spanMs(await read('24h')) < 25 * HOURS)
  })

  it('take what comes late, or of a wrong clock, once', async () => {
    const { id } = await first.foundTenant()
    await merge()
    const put = (startsAt: string) =>
      query(
        `insert into load_minutes (starts_at, tenant_id, db_us, requests, rows_written, jobs, bytes, errors)
         values ($1, $2, 0, 90000, 0, 0, 0, 0) returning 1`,
        [startsAt, id],
      )
    const minute = (ms: number) => momentAt(Math.floor((first.clock.ms() + ms) / MINUTES) * MINUTES)
    await put(minute(-20 * MINUTES))
    await merge()
    await put(minute(-20 * MINUTES))
    await merge()
    await put(minute(40 * HOURS))
    await merge()
    assert.ok((await rowsOf('load_minutes', id)).every((requests) => requests === 0))
    assert.equal(await requestsOf('24h', id), 270_000)
    // Not kept for longer than anything else of now.
    advance(25 * HOURS)
    await merge()
    assert.equal(await requestsOf('24h', id), 0)
  })

  it('are merged once by however many processes at once', async () => {
    const { id } = await first.foundTenant()
    count(id, 80_000)
    await read()
    advance(10 * MINUTES)
    await Promise.all(Array.from({ length: 6 }, (_, place) => both()[place % 2]!.runSchedule(mergeLoad)))
    await merge()
    assert.equal(await requestsOf('24h', id), 80_000)
  })

  it('are written by 20 at once from two processes, and every figure is there', async () => {
    const tenants = await Promise.all(Array.from({ length: 10 }, () => first.foundTenant()))
    const writers = both().map(({ core }) => core.use(loadWriter))
    await read()
    for (let turn = 0; turn < 10; turn++) {
      for (const { core } of both())
        for (const { id } of turn % 2 ? tenants : tenants.toReversed()) core.load.of(id).errors += 10_000
      await Promise.all(writers.map((writer) => writer.flush()))
    }
    const now = await read()
    for (const { id } of tenants) assert.equal(valuesOf(now, id).errors, 200_000)
  })
})

describe('the writing of load', () => {
  /** A process whose clock tells the same time. */
  const another = async (env?: Record<string, string>) => {
    const core = await createCounting({ database: first.database, env })
    core.clock.advance(first.clock.ms() - core.clock.ms())
    return core
  }

  it('goes on with what could not be written', async () => {
    const { id } = await first.foundTenant()
    await read()
    first.core.load.of(id).jobs += 30_000
    const admin = new pg.Client({ connectionString: first.database.superuserUrl })
    await admin.connect()
    await admin.query('alter table core.load_minutes rename to load_hidden')
    await first.core.use(loadWriter).flush()
    await admin.query('alter table core.load_hidden rename to load_minutes')
    await admin.end()
    assert.ok(first.logs.some((line) => line.includes('the load of tenants could not be written down')))
    assert.equal(valuesOf(await read(), id).jobs, 30_000)
  })

  it('loses what may have been written rather than counting it twice', async () => {
    const { id } = await first.foundTenant()
    await read()
    const lost = async () => {
      throw Object.assign(new Error('COMMIT was not answered'), { outcomeUnknown: true })
    }
    const writer = createWriter({ ...first.core, db: { ...first.core.db, transaction: lost } })
    first.core.load.of(id).jobs += 35_000
    await writer.flush()
    assert.equal(valuesOf(await read(), id).jobs, 0)
  })

  it('happens by itself, four times a minute', async () => {
    assert.ok(FLUSH_MS <= 15 * SECONDS)
    const { id } = await first.foundTenant()
    const writer = createWriter(second.core, 20)
    writer.start()
    second.core.load.of(id).jobs += 40_000
    const rows = () => query<{ jobs: number }>('select jobs from load_minutes where tenant_id = $1 and jobs > 0', [id])
    await until('it is written', async () => (await rows()).length === 1)
    await writer.close()
  })

  it('happens at the end', async () => {
    const { id } = await first.foundTenant()
    const third = await another()
    third.core.load.of(id).jobs += 60_000
    await third.close()
    assert.equal(valuesOf(await read(), id).jobs, 60_000)
  })

  it('does not happen where it is switched off, and the answer says so', async () => {
    const off = await another({ LOAD_BY_TENANT: 'off' })
    const { id } = await first.foundTenant()
    off.core.load.of(id).jobs += 70_000
    await off.core.use(loadWriter).flush()
    assert.equal(
      (await off.request('GET', '/api/v1/admin/load', { token: await operator.token() })).body.complete,
      false,
    )
    await off.close()
    assert.equal(valuesOf(await read(), id).jobs, 0)
  })

  it('leaves nothing to write where nothing happens', async () => {
    const quiet = await another()
    await quiet.core.use(loadWriter).flush()
    let statements = 0
    const stop = quiet.core.db.observe(() => statements++)
    await quiet.core.use(loadWriter).flush()
    stop()
    await quiet.close()
    assert.equal(statements, 0)
  })
})
