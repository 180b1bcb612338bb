import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import pg from 'pg'
import { sql, type Tx } from '#kernel'
import { type Database, type DatabaseRole, openDatabase } from '../src/kernel/db/database.ts'
import { sendUnawaited } from '../src/kernel/db/kysely.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { probe, tenantOf, until } from './probe-module.ts'

describe('a connection of the pool', () => {
  let test: TestCore
  let db: Database
  let superuser: pg.Client
  before(async () => {
    test = await createTestCore({ modules: [probe] })
    superuser = new pg.Client({ connectionString: test.database.superuserUrl })
    await superuser.connect()
    await superuser.query('create table core.marks (label text not null); grant all on core.marks to public')
    const { appUrl, systemUrl } = test.database
    db = openDatabase({ appUrl, systemUrl, poolSize: 1, log: test.core.log })
  })
  afterEach(() => superuser.query('truncate core.marks'))
  after(async () => {
    await db.close()
    await superuser.end()
    await test.close()
  })

  const raw = (tx: Tx, text: string) => sql.raw<Record<string, unknown>>(text).execute(tx)
  const echo = (tx: Tx, value: unknown) => sql<{ value: unknown }>`select ${value}::jsonb as value`.execute(tx)
  const mark = (label: string) => sql`insert into marks values (${label})`
  const marks = async () => (await superuser.query('select label from core.marks order by 1')).rows.map((r) => r.label)
  const circle: Record<string, unknown> = {}
  circle.itself = circle
  const tenantOn = async (tx: Tx) =>
    (await raw(tx, "select current_setting('app.tenant_id', true) as tenant")).rows[0]?.tenant

  it('keeps nothing of a statement whose values cannot be sent', async () => {
    const other = { tenantId: tenantOf('b'), role: 'app' } as const // a literal of TransactionScope
    for (const readOnly of [true, false])
      for (const tenantId of [tenantOf('a'), null]) {
        const scope = { tenantId, role: 'app', readOnly } as const // as above
        const refused = () =>
          assert.rejects(
            db.transaction(scope, (tx) => echo(tx, circle)),
            /circular/,
          )
        const works = async () =>
          assert.deepEqual((await db.transaction(scope, (tx) => echo(tx, '1'))).rows, [{ value: 1 }])
        await works()
        await refused()
        const left = await db.transaction({ tenantId: null, role: 'app' }, tenantOn)
        assert.ok(!left, `still in the tenant ${left}`)
        await refused()
        assert.equal(await db.transaction(other, tenantOn), tenantOf('b'))
        await refused()
        await db.transaction(other, (tx) => mark('x').execute(tx))
        await works()
      }
    assert.deepEqual(await marks(), ['x', 'x', 'x', 'x'])
  })

  it('prepares a statement again whose values could not be sent the first time', async () => {
    for (const readOnly of [true, false]) {
      const scope = { tenantId: tenantOf('a'), role: 'app', readOnly } as const // as above
      const first = (value: unknown) =>
        db.transaction(scope, (tx) => sql`select ${value}::jsonb as ${sql.ref(`first_${readOnly}`)}`.execute(tx))
      await assert.rejects(first(circle), /circular/)
      assert.equal((await first('1')).rows.length, 1)
    }
  })

  it('is replaced when a migration has changed what a prepared statement returns', async () => {
    const all = (readOnly: boolean, role: DatabaseRole) =>
      db.transaction({ tenantId: null, role, readOnly }, (tx) => raw(tx, 'select * from marks'))
    for (const [readOnly, role, column] of [
      [true, 'app', 'first'],
      [false, 'app', 'second'],
      [false, 'system', 'third'],
    ] as const) {
      await all(readOnly, role)
      await superuser.query(`alter table core.marks add column ${column} text`)
      await all(readOnly, role)
    }
  })

  it('is replaced when it was opened before the schema was there', async () => {
    const functions = ['set_tenant', 'set_reader']
    const { appUrl, systemUrl } = test.database
    const early = openDatabase({ appUrl, systemUrl, poolSize: 1, log: test.core.log })
    const scope = (readOnly: boolean) => ({ tenantId: tenantOf('a'), role: 'app', readOnly }) as const // as above
    for (const name of functions) await superuser.query(`alter function tenantry.${name} rename to ${name}_later`)
    try {
      for (const readOnly of [true, false]) await assert.rejects(early.transaction(scope(readOnly), tenantOn))
      await early.transaction({ tenantId: null, role: 'app' }, tenantOn)
    } finally {
      for (const name of functions) await superuser.query(`alter function tenantry.${name}_later rename to ${name}`)
    }
    for (const readOnly of [true, false])
      assert.equal(await early.transaction(scope(readOnly), tenantOn), tenantOf('a'))
    await early.close()
  })

  it('goes on after a failure that a savepoint has undone, and commits once', async () => {
    let tries = 0
    await db.transaction({ tenantId: null, role: 'app' }, async (tx) => {
      tries++
      await mark('kept').execute(tx)
      await raw(tx, 'savepoint here')
      sendUnawaited(tx, sql.raw("do $$ begin raise exception 'x' using errcode = '40001'; end $$").compile(tx))
      await raw(tx, 'rollback to savepoint here')
    })
    assert.deepEqual([tries, await marks()], [1, ['kept']])
  })

  it('begins again on another one when it is lost before COMMIT, though nobody waited for what found that', async () => {
    let tries = 0
    const lostFirst = (lose: (tx: Tx) => unknown) =>
      db.transaction({ tenantId: tenantOf('a'), role: 'app' }, async (tx) => {
        await mark(`${++tries}`).execute(tx)
        if (tries % 2 === 1) await lose(tx)
        sendUnawaited(tx, mark('not waited for').compile(tx))
      })
    const end = sql.raw('select pg_terminate_backend(pg_backend_pid())')
    await lostFirst((tx) => sendUnawaited(tx, end.compile(tx)))
    assert.deepEqual([tries, await marks()], [2, ['2', 'not waited for']])
    await lostFirst(async (tx) => {
      await assert.rejects(end.execute(tx), { code: '57P01' })
      // Until the connection is known to be closed, so that not even COMMIT can be sent.
      await until('it is closed', () =>
        raw(tx, 'select 1').then(
          () => false,
          (error) => /not queryable/.test(error),
        ),
      )
    })
    assert.deepEqual([tries, await marks()], [4, ['2', '4', 'not waited for', 'not waited for']])
  })

  it('is not committed when something could not be sent, whoever has swallowed that', async () => {
    for (const role of ['app', 'system'] as const) {
      const swallowing = db.transaction({ tenantId: null, role }, async (tx) => {
        await mark('without its record').execute(tx)
        try {
          sendUnawaited(tx, sql`select ${circle}::jsonb`.compile(tx))
        } catch {}
      })
      await assert.rejects(swallowing, /circular/)
    }
    assert.deepEqual(await marks(), [])
  })
})
