import pg from 'pg'
import type { Config } from '../kernel/config/config.ts'
import type { Product } from '../kernel/product.ts'
import { errorCode } from '../kernel/system-errors.ts'
import { explain } from './failures.ts'

const PATIENCE_MS = 5_000

/** A configured URL does not lead to a database; there is a sentence for each. */
export class DatabaseUnusable extends Error {
  constructor(problems: readonly string[]) {
    super(`The database cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'DatabaseUnusable'
  }
}

/** @throws DatabaseUnusable unless every configured role can sign in */
export async function assertConnects(config: Config, product: Product): Promise<void> {
  const problems = await checkConnections(config, product)
  if (problems.length > 0) throw new DatabaseUnusable(problems)
}

/** Connects once with every configured URL. Returns a sentence with advice for each that fails. */
export async function checkConnections({ database }: Config, { command }: Product): Promise<string[]> {
  const { appUrl, systemUrl, ownerUrl, listenUrl } = database
  const urls = {
    DATABASE_URL: appUrl,
    DATABASE_SYSTEM_URL: systemUrl,
    DATABASE_OWNER_URL: ownerUrl,
    DATABASE_LISTEN_URL: listenUrl === appUrl ? null : listenUrl,
  }
  const given = Object.entries(urls).flatMap(([name, url]) => (url === null ? [] : [{ name, url }]))
  const problems = await Promise.all(given.map(({ name, url }) => findProblem(name, url, command)))
  return problems.filter((problem) => problem !== undefined)
}

async function findProblem(name: string, url: string, command: string): Promise<string | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tenantry check',
    connectionTimeoutMillis: PATIENCE_MS,
  })
  client.on('error', () => {}) // what breaks later is of no interest
  try {
    await client.connect()
    return undefined
  } catch (error) {
    return describe(name, new URL(url), { error, command })
  } finally {
    await client.end().catch(() => {}) // it was never open
  }
}

function describe(
  name: string,
  { host, username }: URL,
  { error, command }: { error: unknown; command: string },
): string {
  const role = decodeURIComponent(username)
  switch (errorCode(error)) {
    case '28P01':
    case '28000':
      return `${name}: the server at ${host} does not let ${role} in (${explain(error)}). Correct role and password, or make new ones: "${command} db setup --reset-passwords".`
    case '3D000':
    case '42501':
      return `${name}: ${explain(error)}. Correct the URL, or prepare the database with "${command} db setup".`
    default:
      return `${name}: no PostgreSQL answers at ${host} (${explain(error)}). Start it, or correct the URL.`
  }
}
