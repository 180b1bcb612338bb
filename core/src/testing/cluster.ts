import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type DatabaseUrls, setUpCopy, setupDatabase } from '../kernel/db/setup.ts'
import { getTestServer } from './server.ts'
import { claimDatabase, dropDatabase, prepareOnce, templateName, withServer } from './test-databases.ts'

/** How to connect to a database made for tests. */
export interface TestDatabaseUrls extends DatabaseUrls {
  /** Leads to the test database itself, past row-level security: for looking at what the others may not see. */
  superuserUrl: string
}

/** A database of one test file's own. */
export interface TestDatabase extends TestDatabaseUrls {
  name: string
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

/** A database to copy: prepared once per server, however many processes ask for it. */
export interface TestTemplate {
  /**
   * Names the content: lower-case letters, digits and underscores, at most 40. Put a hash of what `prepare` reads into
   * it, since a finished template with the same key is taken as it is.
   */
  key: string
  /** Fills the empty database. It must have closed its connections when it returns. */
  prepare(urls: TestDatabaseUrls): Promise<void>
}

/** The roles of all test databases. They belong to the server, so every database on it has the same. */
export const TEST_ROLES = {
  owner: { name: 'tenantry_test_owner', password: 'test-owner' },
  app: { name: 'tenantry_test_app', password: 'test-app' },
  system: { name: 'tenantry_test_system', password: 'test-system' },
}

const CLONE_ATTEMPTS = 3

/**
 * Creates a database with a random name on the server of `TEST_DATABASE_SUPERUSER_URL`, or, when that is unset, on an
 * embedded one started for this process: empty but for schemas and rights, or a copy of the template.
 */
export async function createTestDatabase({ template }: { template?: TestTemplate } = {}): Promise<TestDatabase> {
  const serverUrl = await getTestServer()
  const name = `tenantry_test_${randomBytes(8).toString('hex')}`
  const urls = await withServer(serverUrl, async (server) => {
    if (template) await clone(server, serverUrl, name, template)
    const setup = { superuserUrl: serverUrl, database: name, roles: TEST_ROLES }
    const prepared = template ? await setUpCopy(server, setup) : await setupDatabase(setup)
    await claimDatabase(server, name)
    return withSuperuser(prepared, serverUrl, name)
  })
  return { ...urls, name, drop: () => withServer(serverUrl, (server) => dropDatabase(server, name)) }
}

async function clone(server: pg.Client, serverUrl: string, name: string, template: TestTemplate): Promise<void> {
  const source = templateName(template.key)
  for (let attempt = 1; ; attempt++) {
    await prepareOnce(server, source, async () => template.prepare(await setUp(serverUrl, source)))
    try {
      await copyDatabase(server, source, name)
      return
    } catch (error) {
      // Another run that tidied up may have dropped it in between, or who prepared it has not quite left it.
      const isPassing = error instanceof pg.DatabaseError && ['3D000', '55006'].includes(error.code ?? '')
      if (!isPassing || attempt === CLONE_ATTEMPTS) throw error
    }
  }
}

/** Copies files where the server waits for no disk: that takes half the work, but two checkpoints. */
async function copyDatabase(server: pg.Client, source: string, name: string): Promise<void> {
  const { rows } = await server.query("select current_setting('fsync') as fsync")
  const strategy = rows[0]?.fsync === 'off' ? 'file_copy' : 'wal_log'
  const [from, to] = [source, name].map((each) => pg.escapeIdentifier(each))
  const owner = pg.escapeIdentifier(TEST_ROLES.owner.name)
  await server.query(`create database ${to} owner ${owner} template ${from} strategy ${strategy}`)
}

async function setUp(serverUrl: string, database: string): Promise<TestDatabaseUrls> {
  const urls = await setupDatabase({ superuserUrl: serverUrl, database, roles: TEST_ROLES })
  return withSuperuser(urls, serverUrl, database)
}

function withSuperuser(urls: DatabaseUrls, serverUrl: string, database: string): TestDatabaseUrls {
  const superuserUrl = new URL(serverUrl)
  superuserUrl.pathname = `/${database}`
  return { ...urls, superuserUrl: superuserUrl.href }
}
