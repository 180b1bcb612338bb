import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts'
import { cleanUp, type Ended, makeFolder, runCli } from './run-cli.ts'

const program = fileURLToPath(new URL('./shop.fixture.ts', import.meta.url))
const cli = `node ${program}`
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

const shop = (command: string, env: Record<string, string> = {}): Promise<Ended> =>
  runCli(command, {
    program,
    cwd,
    env: {
      DATABASE_URL: database.appUrl,
      DATABASE_SYSTEM_URL: database.systemUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      ...env,
    },
  })

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
  const { code, out } = await shop('--help')
  assert.equal(code, 0)
  assert.ok(out.startsWith(`Usage: ${cli} <command> [options]\n\n  start `), out)
  assert.ok(out.includes('\n  toys add      Make toys for a tenant\n'), out)
})

describe('an own command', () => {
  test('does not work on a schema that is not current, and says what to call', async () => {
    const { code, out, err } = await shop('toys add --tenant a ball')
    assert.deepEqual([code, out], [1, ''])
    assert.ok(err.includes(`run "${cli} migrate" first`), err)
  })

  test('works on the schema of its own modules: one transaction, its own exit code, the log beside', async () => {
    const migrated = await shop('migrate')
    assert.equal(migrated.code, 0, migrated.err)
    assert.match(migrated.out, /toy\/0001/)
    const added = await shop('toys add -t a --mark red --mark big ball kite')
    assert.deepEqual([added.code, added.out], [0, '2\n'], added.err)
    assert.match(added.err, /^\{.*"added":2.*\}\n$/)
    assert.deepEqual(await listToys(), ['ball red big', 'kite red big'])
  })

  test('has its own exit code, and a log that can be silent', async () => {
    assert.deepEqual(await shop('toys add --tenant a', { LOG_LEVEL: 'silent' }), { code: 3, out: '0\n', err: '' })
  })

  test('that is misused says where to look', async () => {
    const { code, err } = await shop('toys add drum')
    assert.deepEqual([code, err], [2, `${cli} toys add: --tenant is required. See: ${cli} toys add --help\n`])
  })

  test('that fails leaves nothing, and says why in one line', async () => {
    const before = await listToys()
    const failed = await shop('toys add --tenant a --fail drum')
    assert.deepEqual(failed, { code: 1, out: '', err: `${cli} toys add: the shelf broke\n` })
    assert.deepEqual(await listToys(), before)
  })

  test('does not work with roles that row-level security does not bind', async () => {
    const { code, err } = await shop('toys add --tenant a drum', { DATABASE_URL: database.superuserUrl })
    assert.equal(code, 1)
    assert.match(err, /The database roles do not keep tenants apart/)
    assert.ok(err.includes(`"${cli} db setup"`), err)
  })
})
