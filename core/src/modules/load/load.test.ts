import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { everyTenant, HOURS, MINUTES, momentAt, newId, SECONDS, sql } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { createCounting, readLoad, strain, valuesOf } from './load.fixture.ts'
import { mergeLoad } from './merge.ts'
import { OTHERS, OUTSIDE } from './table.ts'
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

describe('the load of a tenant', () => {
  it('adds up over all processes, and nothing of it is another tenant’s', async () => {
    const [one, two] = [await first.foundTenant(), await first.foundTenant()]
    await read()
    const before = [valuesOf(await read(), one.id), valuesOf(await read(), two.id)]
    const own = await one.owner.token()
    for (const { request } of [first, first, second]) await request('GET', '/api/v1/stores', { token: own })
    const now = await read()
    const values = valuesOf(now, one.id)
    assert.equal(values.requests - before[0]!.requests, 3)
    assert.ok(values.db_ms >= before[0]!.db_ms)
    assert.deepEqual(valuesOf(now, two.id), before[1])
    const shown = now.by.requests.find(({ tenant_id }) => tenant_id === one.id)
    assert.deepEqual([shown?.name, shown?.throttle], [one.name, null])
    assert.equal(shown?.share, Math.round((values.requests / now.total.requests) * 10_000) / 10_000)
    assert.equal(now.complete, true)
  })

  it('has the time of its transactions, of reads and snapshots too', async () => {
    const tenant = await first.foundTenant()
    const rest = () => tenant.run(({ tx }) => sql`select pg_sleep(0.2)`.execute(tx))
    const before = valuesOf(await read(), tenant.id).db_ms
    const connections = first.core.config.database.poolSize
    await Promise.all(Array.from({ length: 2 * connections }, rest))
    const spent = valuesOf(await read(), tenant.id).db_ms - before
    assert.ok(spent >= 2 * connections * 200, `${spent} ms`)
    await first.core.db.transaction({ tenantId: tenant.id, role: 'app', readOnly: true }, (tx) =>
      sql`select pg_sleep(0.3)`.execute(tx),
    )
    await first.core.db.snapshot(tenant.id, (tx) => sql`select pg_sleep(0.3)`.execute(tx))
    assert.ok(valuesOf(await read(), tenant.id).db_ms - before - spent >= 600)
  })

  it('has nothing of the wait for a connection', async () => {
    const [tenant, blocker] = [await first.foundTenant(), await first.foundTenant()]
    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const before = valuesOf(await read(), tenant.id).db_ms
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const held = Array.from({ length: first.core.config.database.poolSize }, () => blocker.run(() => released))
      const waited = tenant.run(({ tx }) => sql`select 1`.execute(tx))
      await until('it waits', () => first.core.db.load().app.waiting > 0)
      await sleep(500)
      release()
      await Promise.all([...held, waited])
      times.push(valuesOf(await read(), tenant.id).db_ms - before)
    }
    // The best of them: a busy machine is late with others.
    assert.ok(Math.min(...times) < 500, `${times} ms`)
  })

  it('has the rows that its statements wrote, also where that was undone', async () => {
    const tenant = await first.foundTenant()
    const before = valuesOf(await read(), tenant.id).rows_written
    const write = (undone: boolean) =>
      tenant.run(async ({ tx, tenantId, clock }) => {
        const rows = Array.from({ length: 7 }, () => ({
          tenant_id: tenantId,
          id: newId(),
          request_hash: '',
          claim: newId(),
          claimed_until: null,
          status: null,
          answer: null,
          created_at: clock.now(),
        }))
        await tx.insertInto('idempotency_keys').values(rows).execute()
        await tx.selectFrom('idempotency_keys').selectAll().where('tenant_id', '=', tenantId).execute()
        await tx.updateTable('idempotency_keys').set({ answer: '' }).where('tenant_id', '=', tenantId).execute()
        if (undone) throw new Error('undo')
        await tx.deleteFrom('idempotency_keys').where('tenant_id', '=', tenantId).execute()
      })
    await write(false)
    assert.equal(valuesOf(await read(), tenant.id).rows_written - before, 21)
    await assert.rejects(write(true), /undo/)
    assert.equal(valuesOf(await read(), tenant.id).rows_written - before, 35)
  })

  it('has its jobs, and what failed of them and of its requests', async () => {
    const tenant = await first.foundTenant()
    const before = valuesOf(await read(), tenant.id)
    for (const fails of [false, true, false]) await tenant.run((ctx) => ctx.enqueue(strain, { seconds: 0, fails }))
    await assert.rejects(first.drainJobs(tenant.id), /as it was to/)
    await tenant.owner.post('/heavy/fail')
    await tenant.owner.get('/stores/01926f3c-7b1e-7cc3-98c4-dc0c0c07398f')
    const now = valuesOf(await read(), tenant.id)
    assert.equal(now.jobs - before.jobs, 3)
    assert.equal(now.errors - before.errors, 2)
    assert.equal(now.requests - before.requests, 2)
  })

  it('has the bytes of its requests and answers, of several tenants on one connection too', async () => {
    const { app } = first
    await app.listen({ host: '127.0.0.1', port: 0 })
    const [one, two] = [await first.foundTenant(), await first.foundTenant()]
    const address = app.server.address() as AddressInfo // it listens on a port
    const send = async (bearer: string, body: string) => {
      const answer = await fetch(`http://127.0.0.1:${address.port}/api/v1/stores`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body,
      })
      await answer.text()
    }
    const tokens = [await one.owner.token(), await two.owner.token()] as const // a pair
    const before = [valuesOf(await read(), one.id), valuesOf(await read(), two.id)] as const // as above
    for (let turn = 0; turn < 3; turn++) {
      await send(tokens[0], JSON.stringify({ name: 'x'.repeat(20_000) }))
      await send(tokens[1], '{}')
    }
    await until('they are counted', async () => valuesOf(await read(), two.id).requests - before[1].requests === 3)
    const now = await read()
    const bytes = [
      valuesOf(now, one.id).bytes - before[0].bytes,
      valuesOf(now, two.id).bytes - before[1].bytes,
    ] as const // as above
    assert.ok(bytes[0] > 60_000 && bytes[0] < 80_000, `${bytes}`)
    assert.ok(bytes[1] > 1_000 && bytes[1] < 15_000, `${bytes}`)
  })

  it('has what a sweep over all tenants does in it', async () => {
    const [one, two] = [await first.foundTenant(), await first.foundTenant()]
    const before = valuesOf(await read(), one.id).db_ms
    await first.core.db.aside(() =>
      everyTenant(first.core, {
        name: 'heavy.sweep',
        list: async (_tx, { after }) => (after === null ? [{ tenant_id: one.id }] : []),
        work: async ({ tx }) => void (await sql`select pg_sleep(0.3)`.execute(tx)),
      }),
    )
    const now = await read()
    assert.ok(valuesOf(now, one.id).db_ms - before >= 300)
    assert.ok(valuesOf(now, two.id).db_ms < 300)
  })

  it('is of none, where operators and people without a credential ask', async () => {
    const tenant = await first.foundTenant()
    const colleague = await tenant.member({ role: 'staff' })
    const all = await first.addOperator(['all'])
    await all.post('/admin/operators', { user_id: colleague.userId, roles: ['support'] })
    const before = await read()
    for (let i = 0; i < 5; i++) await colleague.get('/admin/tenants')
    await first.request('GET', '/api/v1/subscriptions/plans')
    const now = await read()
    assert.equal(valuesOf(now, tenant.id).requests, valuesOf(before, tenant.id).requests)
    assert.ok(now.total.requests - before.total.requests >= 6)
  })

  it('is of none, where an id is nobody’s, and the table does not grow by such ids', async () => {
    await read()
    const rows = async () => (await query('select 1 from load_minutes')).length
    const before = await rows()
    for (let i = 0; i < 50; i++)
      await first.core.db.transaction({ tenantId: newId(), role: 'app' }, (tx) => sql`select 1`.execute(tx))
    const now = await read()
    assert.ok((await rows()) - before <= 2)
    assert.ok(now.by.db_ms.every(({ name }) => name !== null))
  })

  it('is shown of 20 tenants, those with most, of however many a process has', async () => {
    const tenants = await Promise.all(Array.from({ length: 25 }, () => first.foundTenant()))
    for (const [place, { id }] of tenants.entries()) first.core.load.of(id).jobs += 1_000 + place
    for (let i = 0; i < 20_000; i++) second.core.load.of(newId()).errors += 1
    const now = await read()
    assert.equal(now.by.jobs.length, 20)
    assert.deepEqual(
      now.by.jobs.map(({ value }) => value),
      Array.from({ length: 20 }, (_, place) => 1_024 - place),
    )
    assert.equal(now.complete, false)
    assert.ok(now.total.errors >= 20_000)
    assert.equal(
      now.by.errors.some(({ tenant_id }) => tenant_id === OTHERS || tenant_id === OUTSIDE),
      false,
    )
  })

  it('goes on with the name of nobody once its tenant is gone', async () => {
    const gone = newId()
    await query(
      `insert into load_minutes (starts_at, tenant_id, db_us, requests, rows_written, jobs, bytes, errors)
       values ($1, $2, 9000000000, 1, 1, 1, 1, 1) returning 1`,
      [momentAt(Math.floor(first.clock.ms() / MINUTES) * MINUTES), gone],
    )
    const [most] = (await read()).by.db_ms
    assert.deepEqual([most?.tenant_id, most?.name, most?.slug, most?.value], [gone, null, null, 9_000_000])
    await query('delete from load_minutes where tenant_id = $1 returning 1', [gone])
  })
})

describe('the windows of load', () => {
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
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [100_000, 100_000])
    advance(4 * MINUTES)
    count(id, 50_000)
    assert.equal(await requestsOf('5m', id), 150_000)
    advance(4 * MINUTES)
    // Whether it is merged yet or not.
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [50_000, 150_000])
    await merge()
    assert.deepEqual([await requestsOf('5m', id), await requestsOf('24h', id)], [50_000, 150_000])
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
    assert.equal(await requestsOf('24h', id), 157_000)
    advance(5 * HOURS)
    await merge()
    assert.equal(await requestsOf('24h', id), 7_000)
    advance(25 * HOURS)
    await merge()
    assert.equal(await requestsOf('24h', id), 0)
    for (const table of ['load_minutes', 'load_quarters', 'load_totals']) assert.deepEqual(await rowsOf(table, id), [])
  })

  it('say from when on, also while nobody merges', async () => {
    const { id } = await first.foundTenant()
    count(id, 1)
    await read()
    advance(10 * MINUTES)
    await merge()
    const short = await read()
    const spanMs = ({ from, to }: { from: string; to: string }) => Date.parse(to) - Date.parse(from)
    assert.ok(spanMs(short) >= 5 * MINUTES && spanMs(short) < 6 * MINUTES + 10 * SECONDS)
    const long = await read('24h')
    assert.ok(spanMs(long) >= 24 * HOURS && spanMs(long) < 24 * HOURS + 15 * MINUTES + 10 * SECONDS)
    advance(30 * HOURS)
    // Nothing has taken it off: so it begins where it does.
    const late = await read('24h')
    assert.ok(spanMs(late) > 30 * HOURS)
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
