import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Ctx, NoTenantContext, sql, type Tx } from '#kernel'
import { CommitFailed, openDatabase } from '../src/kernel/db/database.ts'
import { sendUnawaited } from '../src/kernel/db/kysely.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, countProbes, inTenant, probe, tenantOf, tokenOf, writeProbe } from './probe-module.ts'

describe('transactions', () => {
  let test: TestCore
  let superuser: pg.Client
  before(async () => {
    test = await createTestCore({ modules: [probe] })
    superuser = new pg.Client({ connectionString: test.database.superuserUrl })
    await superuser.connect()
    await superuser.query(`create table core.counters (id int primary key, n int not null);
      create table core.parents (id int primary key);
      create table core.children (id int references core.parents deferrable initially deferred);
      insert into core.counters values (1, 0), (2, 0), (3, 0);
      grant all on core.counters, core.parents, core.children to public`)
  })
  after(async () => {
    await superuser.end()
    await test.close()
  })
  afterEach(() => {
    behaviour.route = undefined
  })

  const raw = (tx: Tx, text: string) => sql.raw<Record<string, unknown>>(text).execute(tx)
  const add = (tx: Tx, id: number) => raw(tx, `update core.counters set n = n + 1 where id = ${id}`)
  const counter = async (id: number) =>
    (await superuser.query('select n from core.counters where id = $1', [id])).rows[0].n
  const kill = (pid: unknown) => superuser.query('select pg_terminate_backend($1::int)', [pid])
  const pidOf = async (tx: Tx) => (await raw(tx, 'select pg_backend_pid() as pid')).rows[0]?.pid
  const meeting = (people: number) => {
    const { promise: all, resolve: goOn } = Promise.withResolvers<void>()
    return async () => {
      if (--people <= 0) goOn()
      await all
    }
  }

  it('are tried again after a serialization failure', async () => {
    const meet = meeting(2)
    let tries = 0
    const once = () =>
      test.core.run(async (ctx) => {
        tries++
        await raw(ctx.tx, 'set transaction isolation level repeatable read')
        await raw(ctx.tx, 'select * from core.counters')
        await meet()
        await add(ctx.tx, 1)
      })
    await Promise.all([once(), once()])
    assert.equal(await counter(1), 2)
    assert.equal(tries, 3)
  })

  it('are tried again after a deadlock', async () => {
    const meet = meeting(2)
    let tries = 0
    const once = (first: number, second: number) =>
      test.core.run(async (ctx) => {
        tries++
        await add(ctx.tx, first)
        await meet()
        await add(ctx.tx, second)
      })
    await Promise.all([once(2, 3), once(3, 2)])
    assert.deepEqual([await counter(2), await counter(3)], [2, 2])
    assert.equal(tries, 3)
  })

  it('are tried four times at most', async () => {
    let tries = 0
    const hopeless = test.core.run(async (ctx) => {
      tries++
      await raw(ctx.tx, "do $$ begin raise exception 'x' using errcode = '40001'; end $$")
    })
    await assert.rejects(hopeless, { code: '40001' })
    assert.equal(tries, 5)
  })

  it('are tried again when the connection was lost before COMMIT, and leave one effect', async () => {
    let tries = 0
    await inTenant(test.core, 'a', async (ctx) => {
      await writeProbe(ctx, 'lost once')
      if (++tries === 1) await kill(await pidOf(ctx.tx))
      await writeProbe(ctx, 'lost once')
    })
    assert.equal(tries, 2)
    assert.equal(await countProbes(test.core, 'lost once'), 2)
  })

  it('are not tried again for the failure of something that is no database', async () => {
    let tries = 0
    const failing = test.core.run(async () => {
      tries++
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    })
    await assert.rejects(failing, { code: 'ECONNREFUSED' })
    assert.equal(tries, 1)
  })

  it('are not tried again when the outcome of COMMIT is unknown', async () => {
    let tries = 0
    const doomed = () => async (ctx: Ctx) => {
      tries++
      const pid = await pidOf(ctx.tx)
      await writeProbe(ctx, 'who knows')
      // The next statement is COMMIT: it finds its backend gone, and cannot say since when.
      await raw(ctx.tx, 'select 1')
      killUnnoticed(pid)
    }
    await assert.rejects(
      inTenant(test.core, 'a', doomed()),
      (error) => error instanceof CommitFailed && error.outcomeUnknown,
    )
    assert.equal(tries, 1)
    behaviour.route = doomed()
    const answer = await test.request('POST', '/api/v1/probes', { token: tokenOf('a'), body: { label: 'over http' } })
    assert.equal(answer.status, 503, answer.text)
    assert.equal(answer.body.code, 'unavailable')
    assert.equal(answer.headers['retry-after'], '1')
    assert.equal(tries, 2)
  })

  it('are tried again when COMMIT itself found a conflict', async () => {
    let tries = 0
    const meet = meeting(2)
    const once = (mine: number) =>
      test.core.run(async (ctx) => {
        tries++
        await raw(ctx.tx, 'set transaction isolation level serializable')
        await raw(ctx.tx, 'select sum(n) from core.counters')
        await meet()
        await raw(ctx.tx, `insert into core.counters values (${mine}, 1)`)
        await meet()
      })
    await Promise.all([once(10), once(11)])
    assert.ok(tries >= 3, `${tries} tries`)
  })

  it('report a constraint that COMMIT found broken, once', async () => {
    let tries = 0
    const failing = test.core.run(async (ctx) => {
      tries++
      await raw(ctx.tx, 'insert into core.children values (7)')
    })
    await assert.rejects(
      failing,
      (error) => error instanceof CommitFailed && error.code === '23503' && !error.outcomeUnknown,
    )
    assert.equal(tries, 1)
  })

  it('are not committed when a failure in them was swallowed', async () => {
    const followed: string[] = []
    const swallowing = inTenant(test.core, 'a', async (ctx) => {
      ctx.afterCommit(() => followed.push('x'))
      await writeProbe(ctx, 'swallowed')
      await raw(ctx.tx, 'select 1 / 0').catch(() => {})
      return 'as if nothing had been'
    })
    await assert.rejects(swallowing, /had failed and was rolled back/)
    assert.equal(await countProbes(test.core, 'swallowed'), 0)
    assert.deepEqual(followed, [])
    behaviour.route = (ctx) => raw(ctx.tx, 'select 1 / 0').catch(() => {})
    const answer = await test.request('POST', '/api/v1/probes', { token: tokenOf('a'), body: { label: 'swallowed' } })
    assert.equal(answer.status, 500)
  })

  it('refuse statements of work that goes on after their end', async () => {
    const { promise: over, resolve: goOn } = Promise.withResolvers<void>()
    let late: Promise<unknown> | undefined
    const straying = inTenant(test.core, 'a', async (ctx) => {
      const slow = over.then(() => writeProbe(ctx, 'stray'))
      late = slow.catch((error: Error) => error.message)
      await Promise.all([slow, raw(ctx.tx, 'select 1 / 0')])
    })
    await assert.rejects(straying, /division by zero/)
    goOn()
    assert.match(String(await late), /transaction is over/)
    const leaked = await inTenant(test.core, 'a', async (ctx) => ctx)
    await assert.rejects(writeProbe(leaked, 'stray'), /transaction is over/)
    assert.equal(await countProbes(test.core, 'stray'), 0)
  })

  it('hold one tenant, from their first statement to their last', async () => {
    const two = inTenant(test.core, 'a', (ctx) => ctx.transaction(async () => {}, { tenantId: tenantOf('b') }))
    await assert.rejects(two, /already open/)
    const byHand = inTenant(
      test.core,
      'a',
      async ({ tx }) => void (await raw(tx, `select tenantry.set_tenant('${tenantOf('b')}')`)),
    )
    await assert.rejects(byHand, { code: '25001' })
    const inSavepoint = inTenant(test.core, 'a', async ({ tx }) => {
      await raw(tx, 'savepoint s')
      await raw(tx, `select tenantry.set_tenant('${tenantOf('b')}')`)
    })
    await assert.rejects(inSavepoint, { code: '25001' })
    const again = inTenant(
      test.core,
      'a',
      async ({ tx }) => void (await raw(tx, `select tenantry.set_tenant('${tenantOf('a')}')`)),
    )
    await again
  })

  it('show the tables of their tenant alone, and without one none', async () => {
    await inTenant(test.core, 'a', (ctx) => writeProbe(ctx, 'of a'))
    // Statements that break the rules on purpose go past the check that would report them.
    const bare = openDatabase({
      appUrl: test.database.appUrl,
      systemUrl: test.database.systemUrl,
      poolSize: 1,
      log: test.core.log,
    })
    const as = (tenant: string | null, text: string) =>
      bare.transaction({ tenantId: tenant && tenantOf(tenant), role: 'app' }, async (tx) => (await raw(tx, text)).rows)
    const all = 'select * from probes'
    const foreign = `insert into probes values ('${tenantOf('a')}', '${tenantOf('x')}', 'x', now(), now())`
    await assert.rejects(as(null, all), NoTenantContext, 'on a connection that never had a tenant')
    assert.deepEqual(await as('b', all), [])
    await assert.rejects(as('b', foreign), { code: '42501' })
    await assert.rejects(as(null, all), NoTenantContext, 'on a connection that had one before')
    await assert.rejects(as(null, foreign), NoTenantContext)
    assert.equal((await as('a', all)).length > 0, true)
    await bare.close()
  })

  it('that only read cannot write, in a tenant, in none and over all', async () => {
    const before = await counter(3)
    for (const [tenantId, role] of [
      [tenantOf('a'), 'app'],
      [null, 'app'],
      [null, 'system'],
    ] as const) {
      const scope = { tenantId, role, readOnly: true }
      assert.equal((await test.core.db.transaction(scope, (tx) => raw(tx, 'select 1'))).rows.length, 1)
      const writing = test.core.db.transaction(scope, (tx) => add(tx, 3))
      await assert.rejects(writing, { code: '25006' }, `${role} ${tenantId}`)
    }
    assert.equal(await counter(3), before)
  })

  it('wait at their end for what nobody has waited for, and fail with it', async () => {
    const failing = inTenant(test.core, 'a', async (ctx) => {
      await writeProbe(ctx, 'not kept')
      sendUnawaited(ctx.tx, sql.raw('select 1 / 0').compile(ctx.tx))
    })
    await assert.rejects(failing, { code: '22012' })
    assert.equal(await countProbes(test.core, 'not kept'), 0)
    const unsendable = inTenant(test.core, 'a', async (ctx) => {
      await writeProbe(ctx, 'not kept')
      const circle: Record<string, unknown> = {}
      circle.itself = circle
      for (const value of ['{}', circle]) sendUnawaited(ctx.tx, sql`select ${value}::jsonb`.compile(ctx.tx))
    })
    await assert.rejects(unsendable, /circular/)
    assert.equal(await countProbes(test.core, 'not kept'), 0)
    let tries = 0
    await inTenant(test.core, 'a', async (ctx) => {
      await writeProbe(ctx, 'kept at the second try')
      const once = "do $$ begin raise exception 'x' using errcode = '40001'; end $$"
      sendUnawaited(ctx.tx, sql.raw(tries++ === 0 ? once : 'select 1').compile(ctx.tx))
    })
    assert.deepEqual([tries, await countProbes(test.core, 'kept at the second try')], [2, 1])
  })

  it('do not end the process when they cannot even begin, and begin again', async () => {
    const bare = openDatabase({
      appUrl: test.database.appUrl,
      systemUrl: test.database.systemUrl,
      poolSize: 1,
      log: test.core.log,
    })
    const scope = { tenantId: tenantOf('a'), role: 'app' } as const
    const pid = await bare.transaction(scope, pidOf)
    killUnnoticed(pid)
    let tries = 0
    await bare.transaction(scope, async (tx) => {
      tries++
      await sleep(50) // BEGIN fails while nobody waits for it
      await raw(tx, 'select 1')
    })
    assert.equal(tries, 2)
    await bare.close()
  })

  it('go on after every connection was cut, as when the database restarts', async () => {
    await Promise.all(
      Array.from({ length: 8 }, () => inTenant(test.core, 'a', ({ tx }) => raw(tx, 'select pg_sleep(0.05)'))),
    )
    await superuser.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        test.request('POST', '/api/v1/probes', { token: tokenOf('a'), body: { label: `after ${i}` } }),
      ),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
    const { app, system } = test.core.db.load()
    assert.equal(app.waiting + system.waiting, 0)
    assert.equal(app.idle, app.total, 'no connection is left behind')
  })

  /** Ends a backend and returns when it is gone; until then this process can notice nothing. */
  function killUnnoticed(pid: unknown): void {
    const script = `
      import pg from 'pg'
      const [url, pid] = process.argv.slice(1)
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('select pg_terminate_backend($1::int)', [pid])
      const seen = 'select from pg_stat_activity where pid = $1::int'
      while ((await client.query(seen, [pid])).rowCount > 0);
      await client.end()`
    const args = ['--input-type=module', '--eval', script, test.database.superuserUrl, String(pid)]
    execFileSync(process.execPath, args, { cwd: import.meta.dirname, stdio: 'inherit' })
  }
})
