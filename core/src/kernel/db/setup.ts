import pg from 'pg'

/** A role to create or bring up to date. */
export interface RoleOptions {
  /** Default: `tenantry_owner`, `tenantry_app` or `tenantry_system`. */
  name?: string
  /** Set when given; otherwise an existing password stays. */
  password?: string
}

/** What {@link setupDatabase} prepares. */
export interface SetupOptions {
  /** An administrator: a superuser, or a role with CREATEROLE and CREATEDB. Any existing database will do. */
  superuserUrl: string
  /** The database to create or bring up to date. */
  database: string
  roles?: { owner?: RoleOptions; app?: RoleOptions; system?: RoleOptions }
}

/** How each of the three roles connects to the database. */
export interface DatabaseUrls {
  ownerUrl: string
  appUrl: string
  systemUrl: string
}

interface Role {
  name: string
  password: string | undefined
}
type Roles = Record<'owner' | 'app' | 'system', Role>

// Advisory lock (any fixed number) against simultaneous set-ups of one server.
const SETUP_LOCK = 6_105_521
// Attributes that are removed from the roles. Only differing ones are changed, because some changes need a superuser.
const FORBIDDEN_ATTRIBUTES = {
  rolsuper: 'nosuperuser',
  rolbypassrls: 'nobypassrls',
  rolcreaterole: 'nocreaterole',
  rolcreatedb: 'nocreatedb',
  rolreplication: 'noreplication',
}
// A query that runs longer than any client waits only slows others.
const APP_SETTINGS = {
  statement_timeout: '30s',
  idle_in_transaction_session_timeout: '60s',
  lock_timeout: '10s',
}

/**
 * Creates or updates the three roles, the database, its schemas and rights; repeating it changes nothing. Needs
 * PostgreSQL 15 or later. The application role owns nothing.
 */
export async function setupDatabase({
  superuserUrl,
  database,
  roles: given = {},
}: SetupOptions): Promise<DatabaseUrls> {
  const roles = rolesOf(given)
  await connected(superuserUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [SETUP_LOCK])
    for (const role of Object.values(roles)) await prepareRole(admin, role)
    await applySettings(admin, roles)
    await joinRoles(admin, roles)
    await prepareDatabase(admin, database, roles)
    await connected(urlOf(superuserUrl, database), (inside) => prepareSchemas(inside, roles))
  })
  return urlsOf(superuserUrl, database, roles)
}

/**
 * Does the rest for a copy of a database that was set up with these roles on the same server: who may connect is not copied.
 */
export async function setUpCopy(
  admin: pg.Client,
  { superuserUrl, database, roles: given }: SetupOptions,
): Promise<DatabaseUrls> {
  const roles = rolesOf(given)
  await admin.query(rightsOn(pg.escapeIdentifier(database), roles))
  return urlsOf(superuserUrl, database, roles)
}

function rolesOf({ owner, app, system }: SetupOptions['roles'] = {}): Roles {
  return {
    owner: { name: owner?.name ?? 'tenantry_owner', password: owner?.password },
    app: { name: app?.name ?? 'tenantry_app', password: app?.password },
    system: { name: system?.name ?? 'tenantry_system', password: system?.password },
  }
}

function urlsOf(superuserUrl: string, database: string, roles: Roles): DatabaseUrls {
  return {
    ownerUrl: urlOf(superuserUrl, database, roles.owner),
    appUrl: urlOf(superuserUrl, database, roles.app),
    systemUrl: urlOf(superuserUrl, database, roles.system),
  }
}

async function prepareRole(admin: pg.Client, { name, password }: Role): Promise<void> {
  const role = pg.escapeIdentifier(name)
  const found = await admin.query(
    `select ${Object.keys(FORBIDDEN_ATTRIBUTES)}, rolcanlogin from pg_roles where rolname = $1`,
    [name],
  )
  const attributes = found.rows[0]
  if (!attributes) await admin.query(`create role ${role} login`)
  else {
    const changes = Object.entries(FORBIDDEN_ATTRIBUTES).filter(([column]) => attributes[column])
    const words = [...(attributes.rolcanlogin ? [] : ['login']), ...changes.map(([, word]) => word)]
    if (words.length > 0) await admin.query(`alter role ${role} ${words.join(' ')}`)
  }
  if (password !== undefined) await admin.query(`alter role ${role} password ${pg.escapeLiteral(password)}`)
}

async function applySettings(admin: pg.Client, { owner, app, system }: Roles): Promise<void> {
  for (const { name } of [owner, app, system]) {
    const role = pg.escapeIdentifier(name)
    await admin.query(`alter role ${role} set search_path = core, public`)
    await admin.query(`alter role ${role} set timezone = 'UTC'`)
  }
  for (const [setting, value] of Object.entries(APP_SETTINGS)) {
    await admin.query(`alter role ${pg.escapeIdentifier(app.name)} set ${setting} = ${pg.escapeLiteral(value)}`)
  }
}

// Without superuser rights, ownership can only be given to roles that one is a member of.
async function joinRoles(admin: pg.Client, { owner, system }: Roles): Promise<void> {
  const { rows } = await admin.query('select rolsuper from pg_roles where rolname = current_user')
  if (rows[0]?.rolsuper) return
  for (const { name } of [owner, system]) await admin.query(`grant ${pg.escapeIdentifier(name)} to current_user`)
}

async function prepareDatabase(admin: pg.Client, name: string, roles: Roles): Promise<void> {
  const { owner } = roles
  const database = pg.escapeIdentifier(name)
  const found = await admin.query(
    'select pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding from pg_database where datname = $1',
    [name],
  )
  const existing = found.rows[0]
  if (!existing) await createDatabase(admin, database, owner)
  else if (existing.encoding !== 'UTF8') throw new Error(`The database ${name} is not UTF8 but ${existing.encoding}`)
  else if (existing.owner !== owner.name) {
    await admin.query(`alter database ${database} owner to ${pg.escapeIdentifier(owner.name)}`)
  }
  await admin.query(rightsOn(database, roles))
}

/** Several statements. */
function rightsOn(database: string, { owner, app, system }: Roles): string {
  const three = [owner, app, system].map((role) => pg.escapeIdentifier(role.name)).join(', ')
  // graphile-worker says "create schema if not exists" for its own, which wants the last right even when the schema exists.
  return `revoke all on database ${database} from public;
    grant connect on database ${database} to ${three};
    grant create on database ${database} to ${pg.escapeIdentifier(system.name)}`
}

// Since version 17 every server has this locale, whatever its operating system offers.
async function createDatabase(admin: pg.Client, database: string, owner: Role): Promise<void> {
  const { rows } = await admin.query("select current_setting('server_version_num')::int >= 170000 as builtin")
  const locale = rows[0]?.builtin ? "locale_provider builtin builtin_locale 'C.UTF-8'" : ''
  const ownerName = pg.escapeIdentifier(owner.name)
  await admin.query(`create database ${database} owner ${ownerName} template template0 encoding 'UTF8' ${locale}`)
}

async function prepareSchemas(inside: pg.Client, { owner, app, system }: Roles): Promise<void> {
  const [ownerName, appName, systemName] = [owner, app, system].map((role) => pg.escapeIdentifier(role.name))
  await prepareSchema(inside, 'core', owner)
  await prepareSchema(inside, 'tenantry', owner)
  await prepareSchema(inside, 'graphile_worker', system)
  await inside.query('revoke create on schema public from public')
  await inside.query(`grant usage on schema core, tenantry to ${appName}, ${systemName}`)
  await inside.query(`grant usage on schema graphile_worker to ${ownerName}`)
}

async function prepareSchema(inside: pg.Client, schema: string, owner: Role): Promise<void> {
  const ownerName = pg.escapeIdentifier(owner.name)
  await inside.query(`create schema if not exists ${schema} authorization ${ownerName}`)
  await inside.query(`alter schema ${schema} owner to ${ownerName}`)
}

async function connected<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, application_name: 'tenantry setup' })
  // The next query reports a broken idle connection; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(base: string, database: string, role?: Role): string {
  const url = new URL(base)
  url.pathname = `/${encodeURIComponent(database)}`
  if (role) {
    url.username = encodeURIComponent(role.name)
    url.password = encodeURIComponent(role.password ?? '')
  }
  return url.href
}
