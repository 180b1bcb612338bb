import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts'
import { cleanUp, type Ended, makeFolder, runCli } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'
import { shop } from './shop.fixture.ts'

const program = fileURLToPath(new URL('./shop.fixture.ts', import.meta.url))
const cli = `node ${fileURLToPath(new URL('../bin/tenantry.js', import.meta.url))}`
let database: TestDatabase
let cwd: string

before(async () => {
  database = await createTestDatabase()
  cwd = await makeFolder()
})
after(async () => {
  await cleanUp()
  await database.drop()
})

const settings = () => ({
  DATABASE_URL: database.appUrl,
  DATABASE_SYSTEM_URL: database.systemUrl,
  DATABASE_OWNER_URL: database.ownerUrl,
})

/** In the tests' own process, which passes for the core's program. */
const run = (command: string, env: Record<string, string> = {}): Promise<Ended> =>
  runInProcess(command, { cwd, env: { ...settings(), LOG_LEVEL: 'silent', ...env }, line: shop })
/** In a process of its own, which it is called in by its file. */
const runAlone = (command: string): Promise<Ended> => runCli(command, { program, cwd, env: settings() })

async function listToys(): Promise<string[]> {
  const client = new pg.Client(database.superuserUrl)
  await client.connect()
  try {
    return (await client.query('select name from core.toys order by name')).rows.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

test('an application calls itself as it was called', async () => {
  const { code, out } = await runAlone('--help')
  assert.equal(code, 0)
  assert.ok(out.startsWith(`Usage: node ${program} <command> [options]\n\n  start `), out)
  assert.match(out, /\n {2}toys add +Make toys for a tenant\n/)
})

describe('an own command', () => {
  test('does not work on a schema that is not current, and says what to call', async () => {
    const { code, out, err } = await run('toys add --tenant a ball')
    assert.deepEqual([code, out], [1, ''])
    assert.ok(err.includes(`run "${cli} migrate" first`), err)
  })

  test('works on the schema of its own modules: one transaction, its own exit code, the log beside', async () => {
    const migrated = await run('migrate')
    assert.equal(migrated.code, 0, migrated.err)
    assert.match(migrated.out, /toy\/0001/)
    const added = await runAlone('toys add -t a --mark red --mark big ball kite')
    assert.deepEqual([added.code, added.out], [0, '2\n'], added.err)
    assert.match(added.err, /^\{.*"added":2.*\}\n$/)
    assert.deepEqual(await listToys(), ['ball red big', 'kite red big'])
  })

  test('has its own exit code', async () => {
    assert.deepEqual(await run('toys add --tenant a'), { code: 3, out: '0\n', err: '' })
  })

  test('that is misused says where to look', async () => {
    const { code, err } = await run('toys add drum')
    assert.deepEqual([code, err], [2, `${cli} toys add: --tenant is required. See: ${cli} toys add --help\n`])
  })

  test('that fails leaves nothing, and says why in one line', async () => {
    const before = await listToys()
    const failed = await run('toys add --tenant a --fail drum')
    assert.deepEqual(failed, { code: 1, out: '', err: `${cli} toys add: the shelf broke\n` })
    assert.deepEqual(await listToys(), before)
  })

  test('does not work with roles that row-level security does not bind', async () => {
    const { code, err } = await run('toys add --tenant a drum', { DATABASE_URL: database.superuserUrl })
    assert.equal(code, 1)
    assert.match(err, /The database roles do not keep tenants apart/)
    assert.ok(err.includes(`"${cli} db setup"`), err)
  })
})
