import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { findMissingMigrations, type MigrateOptions, MigrationRefused, migrate } from '../src/kernel/db/migrate.ts'
import { TEST_ROLES } from '../src/testing/cluster.ts'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts'

const kernel = { module: 'kernel', folder: new URL('../src/kernel/migrations/', import.meta.url) }

describe('migrations', () => {
  let database: TestDatabase
  let folder: string
  let client: pg.Client

  beforeEach(async () => {
    database = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), 'tenantry-migrations-'))
    client = new pg.Client({ connectionString: database.superuserUrl })
    await client.connect()
  })
  afterEach(async () => {
    await client.end()
    await database.drop()
    await rm(folder, { recursive: true })
  })

  const write = (name: string, sql: string) => writeFile(join(folder, name), sql)
  const options = (): MigrateOptions => ({
    ...database,
    appRole: TEST_ROLES.app.name,
    systemRole: TEST_ROLES.system.name,
    sources: [kernel, { module: 'own', folder: pathToFileURL(`${folder}/`) }],
  })
  const applied = async () =>
    (await client.query("select name from tenantry.migrations where module = 'own' order by name")).rows.map(
      ({ name }) => name,
    )
  const exists = async (table: string) =>
    (await client.query('select to_regclass($1) as t', [`core.${table}`])).rows[0].t !== null

  it('run once each, in order, however many start together', async () => {
    await write('0001.sql', 'create table a (id int primary key); insert into a values (1);')
    await write('0002_more.sql', 'insert into a select max(id) + 1 from a; select pg_sleep(0.2);')
    await write('notes.txt', 'no migration')
    const ran = await Promise.all(Array.from({ length: 5 }, () => migrate(options())))
    const own = 2
    assert.deepEqual(ran.sort(), [0, 0, 0, 0, (await readdir(kernel.folder)).length + own])
    assert.deepEqual(await applied(), ['0001.sql', '0002_more.sql'])
    assert.equal((await client.query('select count(*)::int as n from core.a')).rows[0].n, 2)
    await write('0003.sql', 'create table b (id int)')
    const query = (sql: string) => client.query(sql)
    assert.deepEqual(await findMissingMigrations(query, options().sources), ['own/0003.sql'])
    assert.equal(await migrate(options()), 1)
    assert.deepEqual(await findMissingMigrations(query, options().sources), [])
  })

  it('are all missing from an empty database', async () => {
    await write('0001.sql', 'select 1')
    const missing = await findMissingMigrations((sql) => client.query(sql), options().sources)
    assert.deepEqual([missing.at(0), missing.at(-1)], ['kernel/0001.sql', 'own/0001.sql'])
  })

  it('are refused when one was edited after it was applied; line ends do not count', async () => {
    await write('0001.sql', 'create table a (id int);\nselect 1;\n')
    await migrate(options())
    await write('0001.sql', 'create table a (id int);\r\nselect 1;\r\n')
    assert.equal(await migrate(options()), 0)
    await write('0001.sql', 'create table a (id bigint);\nselect 1;\n')
    await write('0002.sql', 'create table b (id int)')
    await assert.rejects(
      migrate(options()),
      (error: Error) => error instanceof MigrationRefused && /own\/0001\.sql was edited/.test(error.message),
    )
    assert.equal(await exists('b'), false, 'nothing was applied')
  })

  it('are refused when the database is newer than the code', async () => {
    await write('0001.sql', 'create table a (id int)')
    await write('0002.sql', 'create table b (id int)')
    await migrate(options())
    await rm(join(folder, '0002.sql'))
    await assert.rejects(
      migrate(options()),
      (error: Error) =>
        error instanceof MigrationRefused && /newer than this code: it has own\/0002\.sql/.test(error.message),
    )
    assert.equal(
      await migrate({ ...options(), sources: [kernel] }),
      0,
      'a module that is not installed keeps its tables',
    )
  })

  it('leave nothing half applied, and go on where they stopped', async () => {
    await write('0001.sql', 'create table a (id int)')
    await write(
      '0002.sql',
      "create table b (id int); insert into b values (1); create table c (id int); insert into c values ('x')",
    )
    await write('0003.sql', 'create table d (id int)')
    await assert.rejects(migrate(options()), /Migration own\/0002\.sql failed: invalid input syntax/)
    assert.deepEqual(await applied(), ['0001.sql'])
    await write('0002.sql', "create table b (id int);\n-- 🥨 :app_role\r\nselect 'ü';\n\ninsert into b values ('x');\n")
    await assert.rejects(
      migrate(options()),
      /^Error: Migration own\/0002\.sql failed: invalid input .*: "x" \(line 5\)$/,
    )
    await write('0002.sql', 'create table b (id int);\nselect nothing\nfrom nowhere\n')
    await assert.rejects(migrate(options()), /relation "nowhere" does not exist \(line 3\)$/)
    assert.deepEqual(
      [await exists('a'), await exists('b'), await exists('c'), await exists('d')],
      [true, false, false, false],
    )
    // What it does and the record of it are one commit.
    const forestalled = "insert into tenantry.migrations (module, name, checksum) values ('own', '0002.sql', 'x')"
    await write('0002.sql', `create table b (id int); ${forestalled}`)
    await assert.rejects(migrate(options()), /duplicate key/)
    assert.deepEqual([await applied(), await exists('b')], [['0001.sql'], false])
    await write('0002.sql', 'create table b (id int)')
    assert.equal(await migrate(options()), 2)
    assert.deepEqual([await exists('b'), await exists('d')], [true, true])
  })

  it('note a checksum of each file', async () => {
    await write('0001.sql', 'select 1')
    await migrate(options())
    const { rows } = await client.query("select checksum from tenantry.migrations where module = 'own'")
    assert.deepEqual(rows, [{ checksum: '822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f' }])
  })
})
