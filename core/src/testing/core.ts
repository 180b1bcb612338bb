import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { createCore, migrationsOf } from '../create-core.ts'
import type { OperatorRole } from '../kernel/access/operators.ts'
import { type MovableClock, movableClock } from '../kernel/clock.ts'
import { loadConfig } from '../kernel/config/config.ts'
import type { Core } from '../kernel/core.ts'
import { migrate } from '../kernel/db/migrate.ts'
import type { FastifySetup } from '../kernel/http/build.ts'
import type { Schedule } from '../kernel/jobs/define.ts'
import { runSchedule } from '../kernel/jobs/schedules.ts'
import type { Module } from '../kernel/module.ts'
import type { ProductOptions } from '../kernel/product.ts'
import type { RateStore } from '../kernel/rates/store.ts'
import { auth, hashPasswordsCheaply } from '../modules/auth/index.ts'
import { builtinModules } from '../modules/index.ts'
import { listMailbox, type StoredMail } from '../modules/mail/index.ts'
import { createTestDatabase, TEST_ROLES, type TestDatabase, type TestTemplate } from './cluster.ts'
import { drainSoundly } from './drain-jobs.ts'
import { addOperator, addPerson, foundTenant, type TenantOptions, type TestPerson, type TestTenant } from './people.ts'
import { quickFolder } from './quick-folder.ts'
import { type Answered, createRequester, type RequestOptions } from './request.ts'
import { createStatementCheck, listTenantTables } from './statements.ts'

export interface TestCoreOptions {
  /** Default: the built-in ones. */
  modules?: readonly Module[]
  /** What the application calls itself. Default: Tenantry. */
  product?: ProductOptions
  /** Settings beside those that a test needs anyway. */
  env?: Record<string, string>
  /** Work on jobs and schedules too. Default: no; `drainJobs` runs what is due. */
  worker?: boolean
  /**
   * Count requests as a server does, so that a test can be sent 429. Default: no count is ever used up, so that a test
   * sends as quickly as it likes.
   */
  rateLimits?: boolean
  /** Where they are counted, as `createCore` takes it. */
  rates?: RateStore
  /** As `createCore` takes it: plugins and hooks on Fastify. */
  fastify?: FastifySetup
  /**
   * Hash passwords as a server does, which takes longer than all the rest of most tests. Default: no, they are hashed at next
   * to no cost.
   */
  fullPasswordCost?: boolean
  /** An existing database: for a second process on the same one. */
  database?: TestDatabase
}

/**
 * A whole core on a database of its own, cloned from a migrated template. Close it, or the test fails; closing throws
 * when a statement that was sent on a tenant-owned table did not name its tenant.
 */
export interface TestCore {
  core: Core
  app: FastifyInstance
  database: TestDatabase
  /** Moves the core's time. */
  clock: MovableClock
  /** Every line that the core logged. */
  logs: string[]
  dataDir: string
  /** Sends a request through the front door and checks the answer against the API document. */
  request(method: string, url: string, options?: RequestOptions): Promise<Answered>
  /** A tenant with its owner, both ready to be used. */
  foundTenant(options?: TenantOptions): Promise<TestTenant>
  /** Somebody who belongs to no tenant yet, with a proven address. */
  addPerson(name?: string): Promise<TestPerson>
  /** Somebody who runs the installation, and belongs to no tenant. */
  addOperator(roles: readonly OperatorRole[]): Promise<TestPerson>
  /**
   * Runs every job of a tenant that is due by the core's clock: what listens, mails, goes on later. Null: of none. Throws
   * what a job failed with, which a worker would try again.
   */
  drainJobs(tenantId: string | null): Promise<void>
  /** Runs a schedule now, whatever its time is. */
  runSchedule(schedule: Schedule): Promise<void>
  /** The mails that were sent, the newest first; to one address, when it is given. They are sent by jobs. */
  mails(to?: string): Promise<StoredMail[]>
  close(): Promise<void>
}

export const TEST_SECRET = 'only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz'

/** Signs reports of mails. */
const TEST_REPORT_SECRET = `whsec_${Buffer.from(TEST_SECRET).toString('base64')}`

// Of nobody: made for tests.
const VAPID_KEYS = {
  VAPID_PUBLIC_KEY: 'BP0rQvwZcL9EoSSZjDaNUS0IDLxquB0i-FEQnu4YbHN48UuoFckHuxMH1Byyu34HhjqbHKDg31pTYxayGk4HQsg',
  VAPID_PRIVATE_KEY: 'Va20Ax_NCtiC0_faao_fkSyX8pIWPlnm56ob6mUIeXw',
}

export async function createTestCore(options: TestCoreOptions = {}): Promise<TestCore> {
  const modules = options.modules ?? builtinModules
  const template = options.database ? undefined : templateOf(modules)
  const database = options.database ?? (await createTestDatabase({ template }))
  const dataDir = await mkdtemp(join(quickFolder(), 'tenantry-test-'))
  const logs: string[] = []
  const clock = movableClock()
  const config = loadConfig(
    {
      NODE_ENV: 'test',
      APP_SECRET: TEST_SECRET,
      LOG_LEVEL: 'debug',
      DATABASE_URL: database.appUrl,
      DATABASE_SYSTEM_URL: database.systemUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      DATABASE_POOL_SIZE: process.env.TEST_DATABASE_POOL_SIZE ?? '8',
      DATA_DIR: dataDir,
      OUTBOUND_ALLOW: '127.0.0.0/8',
      // Nobody listens there: no test asks the name servers of the machine.
      MAIL_DNS_SERVERS: '127.0.0.1:9',
      MAIL_REPORT_SECRET: TEST_REPORT_SECRET,
      ...VAPID_KEYS,
      // What is written now and then, and at the end, would come between what a test looks at.
      LOAD_BY_TENANT: 'off',
      ...options.env,
    },
    modules,
  )
  const log = pino({ level: config.log.level, base: null }, collect(logs))
  const { product, fastify } = options
  const rates = options.rates ?? (options.rateLimits ? undefined : endlessRates)
  const core = await createCore({ config, modules, product, clock, log, rates, fastify })
  if (!options.fullPasswordCost && config.env === 'test' && modules.includes(auth)) hashPasswordsCheaply(core)
  const statements = createStatementCheck(await tablesOf(database, template))
  core.db.observe(statements.observe)
  const app = await core.app().catch(async (error: unknown) => {
    await core.close()
    if (!options.database) await database.drop()
    throw error
  })
  if (options.worker) await core.startWorker()
  const request = createRequester(core, app)
  return {
    core,
    app,
    database,
    clock,
    logs,
    dataDir,
    request,
    foundTenant: (options) => foundTenant(core, request, options),
    addPerson: (name) => addPerson(core, request, name),
    addOperator: (roles) => addOperator(core, request, roles),
    drainJobs: (tenantId) => drainSoundly(core, tenantId),
    runSchedule: async (schedule) => {
      // What no module lists never runs outside of a test.
      if (!core.registry.schedules.includes(schedule))
        throw new Error(`No module lists the schedule ${schedule.name} (schedules: […])`)
      await core.db.aside(() => runSchedule(core, schedule))
    },
    mails: async (to) => (await listMailbox(dataDir)).filter((mail) => to === undefined || mail.to === to),
    async close() {
      await core.close()
      if (!options.database) await database.drop()
      await rm(dataDir, { recursive: true, force: true })
      statements.assertNone()
    },
  }
}

/** Counts that are never used up. */
const endlessRates: RateStore = {
  take: (counters) => ({ isAllowed: true, counts: counters.map(({ windowMs }) => ({ used: 1, leftMs: windowMs })) }),
}

function collect(lines: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
}

const known = new Map<string, Map<string, string>>()

/** Those of a copy are the template's. */
async function tablesOf({ superuserUrl }: TestDatabase, template?: TestTemplate): Promise<Map<string, string>> {
  const tables = (template && known.get(template.key)) ?? (await listTenantTables(superuserUrl))
  if (template) known.set(template.key, tables)
  return tables
}

/** One template per set of modules and text of their migrations. */
function templateOf(modules: readonly Module[]): TestTemplate {
  const sources = migrationsOf(modules)
  // Their text too: an id of a process comes again, and on a long-living server what the earlier one made is still there.
  const texts = sources.flatMap(({ folder }) => textsIn(folder))
  const key = createHash('sha256')
    .update(JSON.stringify([sources, texts, MIGRATIONS_STAMP]))
    .digest('hex')
    .slice(0, 16)
  return {
    key,
    prepare: async (urls) => {
      await migrate({ ...urls, appRole: TEST_ROLES.app.name, systemRole: TEST_ROLES.system.name, sources })
    },
  }
}

const OURS = new URL('../', import.meta.url).href
const read = new Map<string, string[]>()

/** Of the built-in modules they are read once: nobody changes them while a test runs. */
function textsIn(folder: URL): string[] {
  const texts =
    read.get(folder.href) ??
    readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .sort()
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  if (folder.href.startsWith(OURS)) read.set(folder.href, texts)
  return texts
}

/** Templates outlive a run on a long-living server; each process makes its own when run by hand. */
const MIGRATIONS_STAMP = process.env.TEST_RUN_ID ?? String(process.pid)
