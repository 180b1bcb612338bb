import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import pg from 'pg'
import { findProcessMark } from '../kernel/db/embedded-process.ts'

const MINUTES = 60
const HOURS = 60 * MINUTES
const MAX_AGE_SECONDS = 24 * HOURS
const MAX_CREATION_SECONDS = 10 * MINUTES
const FINISHED = 'finished'
// Two numbers make one advisory lock: the first says that it is about a template, the second which one.
const TEMPLATE_LOCK_CLASS = 6_105_522
// A template of one checkout is never copied by another, whose key may stand for other content.
const TEMPLATE_SUFFIX = `_${createHash('sha256')
  .update(import.meta.url)
  .digest('hex')
  .slice(0, 8)}`

/** The name of the database that holds the template with this key. */
export function templateName(key: string): string {
  if (!/^[a-z0-9_]{1,40}$/.test(key)) throw new Error(`Not a template key: ${key}`)
  return `tenantry_tpl_${key}${TEMPLATE_SUFFIX}`
}

/** Does some work on a connection and closes it. */
export async function withServer<Result>(url: string, work: (server: pg.Client) => Promise<Result>): Promise<Result> {
  const server = new pg.Client({ connectionString: url, application_name: 'tenantry test databases' })
  server.on('error', () => undefined)
  await server.connect()
  try {
    return await work(server)
  } finally {
    await server.end()
  }
}

/** Runs the work unless the template is already complete; one process at a time, and again after one that died. */
export async function prepareOnce(server: pg.Client, name: string, work: () => Promise<void>): Promise<void> {
  const lock = [TEMPLATE_LOCK_CLASS, name]
  await server.query('select pg_advisory_lock($1, hashtext($2))', lock)
  try {
    if ((await readComment(server, name)) === FINISHED) return
    await dropDatabase(server, name)
    await work()
    await writeComment(server, name, FINISHED)
  } finally {
    await server.query('select pg_advisory_unlock($1, hashtext($2))', lock)
  }
}

/** Notes in the database which process uses it, so that later ones can tell whether it is still in use. */
export async function claimDatabase(server: pg.Client, name: string): Promise<void> {
  const user = { host: hostname(), pid: process.pid, mark: await findProcessMark(process.pid) }
  await writeComment(server, name, JSON.stringify(user))
}

/** Removes a database, whoever is still connected. */
export async function dropDatabase(server: pg.Client, name: string): Promise<void> {
  await server.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
}

/**
 * Drops the test databases that processes of this machine left when they died, or that are older than a day. Those of
 * running tests stay. Returns the names of what is gone.
 */
export async function dropDeadDatabases(superuserUrl: string): Promise<string[]> {
  return withServer(superuserUrl, async (server) => {
    const dropped: string[] = []
    for (const { name, comment, age } of await listDatabases(server, 'tenantry_test_')) {
      if (await isInUse(comment, age)) continue
      await dropDatabase(server, name)
      dropped.push(name)
    }
    return dropped
  })
}

/** Drops the templates of this checkout and those of others that are older than a day. Who needs one prepares it again. */
export async function dropTemplates(superuserUrl: string): Promise<void> {
  await withServer(superuserUrl, async (server) => {
    for (const { name, age } of await listDatabases(server, 'tenantry_tpl_')) {
      if (name.endsWith(TEMPLATE_SUFFIX) || (age ?? 0) > MAX_AGE_SECONDS) await dropTemplate(server, name)
    }
  })
}

interface FoundDatabase {
  name: string
  comment: string | null
  /** Seconds since it was made. */
  age: number | null
}

async function listDatabases(server: pg.Client, prefix: string): Promise<FoundDatabase[]> {
  const { rows } = await server.query<FoundDatabase>(
    `select datname as name, shobj_description(oid, 'pg_database') as comment,
       extract(epoch from now() - (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification)::float8 as age
     from pg_database where starts_with(datname, $1)`,
    [prefix],
  )
  return rows
}

async function dropTemplate(server: pg.Client, name: string): Promise<void> {
  const lock = [TEMPLATE_LOCK_CLASS, name]
  const { rows } = await server.query('select pg_try_advisory_lock($1, hashtext($2)) as locked', lock)
  // Somebody is preparing it just now.
  if (!rows[0]?.locked) return
  await dropDatabase(server, name)
  await server.query('select pg_advisory_unlock($1, hashtext($2))', lock)
}

async function isInUse(comment: string | null, ageSeconds: number | null): Promise<boolean> {
  const age = ageSeconds ?? 0
  if (comment === null) return age < MAX_CREATION_SECONDS
  const { host, pid, mark } = JSON.parse(comment)
  if (age > MAX_AGE_SECONDS) return false
  return host !== hostname() || (await findProcessMark(pid)) === mark
}

async function readComment(server: pg.Client, name: string): Promise<string | undefined> {
  const { rows } = await server.query(
    "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
    [name],
  )
  return rows[0]?.comment ?? undefined
}

async function writeComment(server: pg.Client, name: string, text: string): Promise<void> {
  await server.query(`comment on database ${pg.escapeIdentifier(name)} is ${pg.escapeLiteral(text)}`)
}
