import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { setupDatabase } from '../kernel/db/setup.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'

const OLDEST_VERSION = 15
const KINDS = ['app', 'system', 'owner'] as const

export const dbSetup: Command = {
  summary: 'create the database and its three roles on a PostgreSQL server',
  help: (cli) => `Usage: ${cli} db setup --admin-url <url> [--database <name>] [--prefix <prefix>] [--reset-passwords]

Run once with an administrator of the server (a superuser, or a role with CREATEROLE and CREATEDB), PostgreSQL 15 or
later. Creates the roles <prefix>_owner (migrations), <prefix>_app (every request; row-level security binds it) and
<prefix>_system (operator's routes and jobs), the database, schemas and rights; running it again changes nothing that
is right. Prints the three settings to put into the environment. Passwords are made for new roles, and for existing
ones with --reset-passwords: servers that run need the new ones then.

  --admin-url   postgres://admin:…@host:5432/postgres (or without the password, and that in PGPASSWORD)
  --database    default: tenantry
  --prefix      default: tenantry`,
  options: {
    'admin-url': { type: 'string' },
    database: { type: 'string' },
    prefix: { type: 'string' },
    'reset-passwords': { type: 'boolean' },
  },
  async run(values, { product }) {
    const { adminUrl, database, prefix } = readOptions(values)
    const existing = await findRoles(adminUrl, prefix)
    const keeps = (kind: string) => existing.has(`${prefix}_${kind}`) && values['reset-passwords'] !== true
    const role = (kind: string) => ({ name: `${prefix}_${kind}`, ...(keeps(kind) ? {} : { password: newPassword() }) })
    const roles = { owner: role('owner'), app: role('app'), system: role('system') }
    const { appUrl, systemUrl, ownerUrl } = await setupDatabase({ superuserUrl: adminUrl, database, roles })
    const shown = (kind: string, url: string) => (keeps(kind) ? withPlaceholder(url) : url)
    say(`# Put these into the environment, then run: ${product.command} migrate`)
    say(`DATABASE_URL=${shown('app', appUrl)}`)
    say(`DATABASE_SYSTEM_URL=${shown('system', systemUrl)}`)
    say(`DATABASE_OWNER_URL=${shown('owner', ownerUrl)}`)
    const kept = KINDS.filter(keeps).map((kind) => `${prefix}_${kind}`)
    if (kept.length > 0) say(`# <password>: ${kept.join(', ')} kept theirs; --reset-passwords makes new ones.`)
    return 0
  },
}

function readOptions(values: Values) {
  const { 'admin-url': adminUrl, database = 'tenantry', prefix = 'tenantry' } = values
  if (typeof adminUrl !== 'string') throw new UsageError('--admin-url is required: an administrator of the server')
  if (!/^postgres(ql)?:\/\//.test(adminUrl) || !URL.canParse(adminUrl))
    throw new UsageError('--admin-url must be a URL that begins with postgres://')
  if (typeof prefix !== 'string' || !/^[a-z][a-z0-9_]{0,40}$/.test(prefix))
    throw new UsageError('--prefix takes lower-case letters, digits and underscores')
  if (typeof database !== 'string' || database === '') throw new UsageError('--database takes a name')
  return { adminUrl, database, prefix }
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** A password cannot be read back, so a placeholder is shown. */
function withPlaceholder(url: string): string {
  const { username } = new URL(url)
  return url.replace(`//${username}@`, `//${username}:<password>@`)
}

/** Which of the three roles exist. */
async function findRoles(adminUrl: string, prefix: string): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'tenantry setup' })
  client.on('error', () => {}) // reported by the query that it breaks
  await client.connect()
  try {
    const server = await client.query("select current_setting('server_version_num')::int / 10000 as version")
    const version: number = server.rows[0]?.version
    if (version < OLDEST_VERSION)
      throw new Error(`PostgreSQL ${version} is too old: ${OLDEST_VERSION} is the oldest that works`)
    const names = KINDS.map((kind) => `${prefix}_${kind}`)
    const { rows } = await client.query('select rolname from pg_roles where rolname = any($1)', [names])
    return new Set(rows.map(({ rolname }) => rolname))
  } finally {
    await client.end()
  }
}
