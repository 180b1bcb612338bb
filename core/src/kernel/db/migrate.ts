import { readdir, readFile } from 'node:fs/promises'
import { runMigrations } from 'graphile-worker'
import pg from 'pg'
import { sha256 } from '../hash.ts'
import type { Module } from '../module.ts'

/** A source of migrations: the kernel or a module, in the modules' order. */
export interface MigrationSource {
  module: string
  folder: URL
}

/** Where migrations come from: the kernel's first, then those of modules in their order. */
export const migrationSourcesOf = (ordered: readonly Module[]): MigrationSource[] => [
  { module: 'kernel', folder: new URL('../migrations/', import.meta.url) },
  ...ordered.flatMap(({ name, migrations }) => (migrations ? [{ module: name, folder: migrations }] : [])),
]

export interface MigrateOptions {
  ownerUrl: string
  systemUrl: string
  /** Names of the roles that tables are granted to. */
  appRole: string
  systemRole: string
  sources: readonly MigrationSource[]
  log?: (line: string) => void
}

interface Migration {
  module: string
  name: string
  sql: string
  checksum: string
}

export class MigrationRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MigrationRefused'
  }
}

/** Advisory lock: one migrator at a time. */
const LOCK = 7_467_221_001

/**
 * Applies missing migrations in order, each in its own transaction; returns how many. Refuses a database that is newer
 * than the code, or whose applied migrations were edited.
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const migrations = await readMigrations(options.sources)
  const client = new pg.Client({ connectionString: options.ownerUrl, application_name: 'tenantry migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await client.query("set lock_timeout = '30s'; set statement_timeout = 0")
    await client.query(`create table if not exists tenantry.migrations (
      module text not null, name text not null, checksum text not null,
      applied_at timestamptz not null default now(), primary key (module, name))`)
    await grantSchemas(client, options)
    const waiting = await findWaiting(client, migrations)
    for (const migration of waiting) {
      await apply(client, migration, options)
      options.log?.(`applied ${migration.module}/${migration.name}`)
    }
    await migrateQueue(options)
    return waiting.length
  } finally {
    await client.end()
  }
}

/** Missing migrations; throws `MigrationRefused` like `migrate`. For probes and the doctor. */
export async function findMissingMigrations(
  query: (sql: string) => Promise<{ rows: { module: string; name: string; checksum: string }[] }>,
  sources: readonly MigrationSource[],
): Promise<string[]> {
  const exists = await query("select to_regclass('tenantry.migrations')::text as name, '' as module, '' as checksum")
  const migrations = await readMigrations(sources)
  const applied = exists.rows[0]?.name
    ? (await query('select module, name, checksum from tenantry.migrations')).rows
    : []
  return missing(migrations, applied).map(({ module, name }) => `${module}/${name}`)
}

/** Everything that the sources have, applied or not, in their order. */
export async function readMigrations(sources: readonly MigrationSource[]): Promise<Migration[]> {
  const migrations: Migration[] = []
  for (const { module, folder } of sources) {
    const files = (await readdir(folder)).filter((file) => /^\d{4}.*\.sql$/.test(file)).sort()
    for (const name of files) {
      // Line ends depend on the checkout and are ignored.
      const sql = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n')
      migrations.push({ module, name, sql, checksum: sha256(sql).toString('hex') })
    }
  }
  return migrations
}

/** Grants the use of the schemas; tables and functions are granted where they are created. */
async function grantSchemas(client: pg.Client, { appRole, systemRole }: MigrateOptions): Promise<void> {
  const [app, system] = [appRole, systemRole].map(pg.escapeIdentifier)
  await client.query(
    `grant usage on schema tenantry, core to ${app}, ${system}; grant select on tenantry.migrations to ${system}`,
  )
}

async function findWaiting(client: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await client.query('select module, name, checksum from tenantry.migrations')
  return missing(migrations, rows)
}

function missing(migrations: Migration[], applied: { module: string; name: string; checksum: string }[]): Migration[] {
  const known = new Map(migrations.map((migration) => [`${migration.module}/${migration.name}`, migration]))
  const modules = new Set(migrations.map(({ module }) => module))
  for (const { module, name, checksum } of applied) {
    const migration = known.get(`${module}/${name}`)
    // An uninstalled module keeps its tables; an unknown migration of an installed one means a newer schema.
    if (!migration && modules.has(module))
      throw new MigrationRefused(`The database is newer than this code: it has ${module}/${name}. Update the code.`)
    if (migration && migration.checksum !== checksum)
      throw new MigrationRefused(
        `${module}/${name} was edited after it was applied. Restore it and add a new migration.`,
      )
    known.delete(`${module}/${name}`)
  }
  return [...known.values()]
}

async function apply(client: pg.Client, migration: Migration, { appRole, systemRole }: MigrateOptions): Promise<void> {
  const sql = migration.sql
    .replaceAll(':app_role', pg.escapeIdentifier(appRole))
    .replaceAll(':system_role', pg.escapeIdentifier(systemRole))
  await client.query('begin')
  try {
    // Citus requires sequential schema changes where foreign keys meet; plain PostgreSQL ignores the setting.
    await client.query("set local citus.multi_shard_modify_mode = 'sequential'; set local search_path = core, public")
    await client.query(sql)
    await client.query('insert into tenantry.migrations (module, name, checksum) values ($1, $2, $3)', [
      migration.module,
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // a lost connection has rolled back by itself
    const { message, position } = error as pg.DatabaseError // pg rejects with Errors only; those of a connection have no position
    const line = position === undefined ? '' : ` (line ${lineAt(sql, Number(position))})`
    throw new Error(`Migration ${migration.module}/${migration.name} failed: ${message}${line}`, { cause: error })
  }
}

/** The line of a position as PostgreSQL counts: in characters, from 1. */
const lineAt = (sql: string, position: number) =>
  [...sql]
    .slice(0, position - 1)
    .join('')
    .split('\n').length

/** The queue's tables belong to the system role, which works on them; the application role cannot see them. */
async function migrateQueue({ systemUrl }: MigrateOptions): Promise<void> {
  await runMigrations({ connectionString: systemUrl, schema: QUEUE_SCHEMA, noPreparedStatements: true })
}

export const QUEUE_SCHEMA = 'graphile_worker'
