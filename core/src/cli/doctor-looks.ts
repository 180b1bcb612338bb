import { migrationsOf } from '../create-core.ts'
import { ConfigError } from '../kernel/config/config.ts'
import type { Core } from '../kernel/core.ts'
import { assertRolesAreSafe, checkCatalogue, UnsafeRoles } from '../kernel/db/catalogue.ts'
import { findMissingMigrations } from '../kernel/db/migrate.ts'
import { findDeclarationProblems } from '../kernel/declarations.ts'
import { incompleteLanguages } from '../kernel/messages/problems.ts'
import type { HealthCheck } from '../kernel/module.ts'
import { explain } from './failures.ts'
import { counted } from './migrate.ts'
import { findUnopened } from './seals.ts'

/** The result of one check. */
export interface Finding {
  name: string
  problems: readonly string[]
  /** Said when there is no problem. */
  fine?: string
  /** What to do about all of the problems. */
  advice?: string
}

/** Runs all checks, one after the other. */
export async function* examine(core: Core): AsyncGenerator<Finding> {
  yield look('database', () => lookAtServer(core))
  yield look('clock', () => lookAtClock(core))
  yield look('roles', () => lookAtRoles(core))
  const schema = await look('schema', () => lookAtSchema(core))
  yield schema
  // An incomplete schema violates every rule, and what modules need may be missing.
  if (schema.problems.length > 0) return
  yield look('tables', () => lookAtTables(core))
  yield look('secrets', () => lookAtSecrets(core))
  yield look('declarations', async () => ({
    problems: await findDeclarationProblems(core),
    fine: 'what the modules name is there',
  }))
  yield { name: 'languages', problems: [], fine: describeLanguages(core) }
  yield look('serving', () => lookAtServing(core))
  for (const module of core.registry.modules) for (const check of module.checks) yield runCheck(core, check)
}

type Found = Omit<Finding, 'name'>

async function look(name: string, work: () => Promise<Found>): Promise<Finding> {
  try {
    return { name, ...(await work()) }
  } catch (error) {
    return { name, problems: [explain(error)] }
  }
}

async function lookAtServing(core: Core): Promise<Found> {
  const problems: string[] = []
  for (const { mayServe } of core.registry.modules)
    await mayServe?.(core).catch((error: unknown) => problems.push(...problemsIn(error)))
  return { problems, fine: 'nothing stands in the way' }
}

/** No problem, since whatever is missing is read in English. */
function describeLanguages({ registry: { messages } }: Core): string {
  const incomplete = incompleteLanguages(messages)
  const complete = messages.languages.filter((language) => !incomplete.has(language))
  const partly = [...incomplete].map(
    ([language, codes]) =>
      `${language} lacks ${codes.length} of ${messages.codes.length} texts, which are read in English (${codes.slice(0, 5).join(', ')}${codes.length > 5 ? ', …' : ''})`,
  )
  return [`complete in ${complete.join(', ')}`, ...partly].join('; ')
}

const problemsIn = (error: unknown) => (error instanceof ConfigError ? error.problems : [explain(error)])

const OLDEST_VERSION = 150_000

async function lookAtServer({ db, product }: Core): Promise<Found> {
  const [row] = await db.systemQuery<{ number: number; version: string; encoding: string; timezone: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
       current_setting('server_encoding') as encoding, current_setting('TimeZone') as timezone`,
  )
  const { number, version, encoding, timezone } = row! // such a query has exactly one row
  const problems: string[] = []
  if (number < OLDEST_VERSION) problems.push(`PostgreSQL ${version} is too old: 15 is the oldest that works.`)
  if (encoding !== 'UTF8') problems.push(`The database is encoded in ${encoding}: it must be created in UTF8.`)
  if (timezone !== 'UTC')
    problems.push(`The system role's time zone is ${timezone}, not UTC: run "${product.command} db setup" again.`)
  return { problems, fine: `PostgreSQL ${version} answers` }
}

const MAX_SKEW_MS = 2_000

async function lookAtClock({ db }: Core): Promise<Found> {
  const before = Date.now()
  const [row] = await db.systemQuery<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms',
  )
  const tookMs = Date.now() - before
  const skew = Math.round(Number(row?.ms) - before - tookMs / 2)
  // The database read its clock at some time within the round trip.
  const isFar = !(Math.abs(skew) - tookMs / 2 <= MAX_SKEW_MS)
  const problem = `This machine's clock and the database's are ${skew} ms apart: synchronise both (NTP).`
  return { problems: isFar ? [problem] : [], fine: `within ${Math.abs(skew)} ms of the database's` }
}

async function lookAtRoles({ db, product }: Core): Promise<Found> {
  const problems = await assertRolesAreSafe(db, product).then(
    () => [],
    (error: unknown) => (error instanceof UnsafeRoles ? error.problems : Promise.reject(error)),
  )
  const advice = `Run "${product.command} db setup" as an administrator of the server, and put the settings that it prints into the environment.`
  return { problems, fine: 'row-level security binds the application role', advice }
}

async function lookAtSchema({ db, registry, product }: Core): Promise<Found> {
  const missing = await findMissingMigrations((sql) => db.systemPool.query(sql), migrationsOf(registry.modules))
  const problem = `${counted(missing.length, 'migration')} not applied (${missing.join(', ')}): run "${product.command} migrate".`
  return { problems: missing.length > 0 ? [problem] : [], fine: 'every migration is applied, none was edited' }
}

async function lookAtTables({ db }: Core): Promise<Found> {
  const problems = await checkCatalogue(db.systemQuery)
  const advice =
    'docs/writing-a-module.md says what a migration must give a table; what was changed by hand, change back.'
  return { problems, fine: 'every table keeps tenants apart', advice }
}

async function lookAtSecrets(core: Core): Promise<Found> {
  const problems = (await findUnopened(core)).map((kind) => `APP_SECRET does not open ${kind}.`)
  const advice =
    'Put the secret that they were sealed with back: into APP_SECRET, APP_SECRET_PREVIOUS or DATA_DIR/app_secret.'
  return { problems, fine: 'what is sealed can be opened', advice }
}

/** Advice for checks whose messages come from other programs. */
const ADVICE: Record<string, string> = {
  mail: 'Correct SMTP_URL (host, port, user, password), and see that this machine may reach that server.',
  scanner: 'Start clamd, or correct CLAMAV_URL. What is uploaded meanwhile stays in quarantine.',
}

function runCheck(core: Core, { name, check }: HealthCheck): Promise<Finding> {
  return look(name, async () => ({ problems: [], fine: await check(core) })).then((finding) => ({
    ...finding,
    advice: ADVICE[name],
  }))
}
