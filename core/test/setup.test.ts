import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import pg from 'pg'
import { setupDatabase } from '../src/kernel/db/setup.ts'
import { getTestServer } from '../src/testing/server.ts'

const serverUrl = await getTestServer()
// Names that would break out of a statement put together carelessly.
const unique = randomBytes(4).toString('hex')
const database = `tenantry_test_"odd" name_${unique}`
const roles = {
  owner: { name: `own"er ${unique}`, password: "pass'word@/:%" },
  app: { name: `app'${unique}`, password: 'app' },
  system: { name: `System ${unique}`, password: 'system' },
}
const admin = { name: `admin_${unique}`, password: 'admin' }

after(async () => {
  await query(serverUrl, `drop database if exists ${pg.escapeIdentifier(database)} with (force)`)
  for (const { name } of [...Object.values(roles), admin]) {
    await query(serverUrl, `drop role if exists ${pg.escapeIdentifier(name)}`)
  }
})

test('a mere administrator sets everything up, and again without a change', async () => {
  await query(serverUrl, `create role ${admin.name} login createrole createdb password '${admin.password}'`)
  const adminUrl = new URL(serverUrl)
  adminUrl.username = admin.name
  adminUrl.password = admin.password
  const urls = await setupDatabase({ superuserUrl: adminUrl.href, database, roles })
  const before = await describe()
  assert.deepEqual(await setupDatabase({ superuserUrl: adminUrl.href, database, roles }), urls)
  assert.deepEqual(await describe(), before)

  const who = "select current_user as name, current_database() as database, current_setting('search_path') as path"
  for (const [url, role] of [
    [urls.ownerUrl, roles.owner],
    [urls.appUrl, roles.app],
    [urls.systemUrl, roles.system],
  ] as const) {
    assert.deepEqual(await query(url, who), [{ name: role.name, database, path: 'core, public' }])
  }
})

test('a superuser repairs what went wrong', async () => {
  const app = pg.escapeIdentifier(roles.app.name)
  await query(serverUrl, `alter role ${app} bypassrls createrole superuser nologin`)
  await query(serverUrl, `alter role ${app} reset all`)
  await query(serverUrl, `alter database ${pg.escapeIdentifier(database)} owner to ${app}`)
  const before = await describe()
  const { appUrl } = await setupDatabase({ superuserUrl: serverUrl, database, roles })
  assert.notDeepEqual(await describe(), before)
  assert.deepEqual(
    await query(
      appUrl,
      'select rolsuper, rolbypassrls, rolcreaterole, rolcanlogin from pg_roles where rolname = current_user',
    ),
    [{ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcanlogin: true }],
  )
})

test('two and more set-ups at once do not meet', async () => {
  await Promise.all(Array.from({ length: 5 }, () => setupDatabase({ superuserUrl: serverUrl, database, roles })))
})

test('the application role may connect and look, but owns and creates nothing', async () => {
  const { appUrl, systemUrl, ownerUrl } = await setupDatabase({ superuserUrl: serverUrl, database, roles })
  for (const sql of [
    'create table core.mine (id int)',
    'create table public.mine (id int)',
    'create temp table mine (id int)',
    'create schema mine',
    'create table graphile_worker.mine (id int)',
    `create role mine_${unique}`,
    `set role ${pg.escapeIdentifier(roles.owner.name)}`,
  ]) {
    await assert.rejects(query(appUrl, sql), { code: '42501' }, sql)
  }
  const limits = await query(
    appUrl,
    `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
       current_setting('idle_in_transaction_session_timeout') as idle, current_setting('TimeZone') as zone`,
  )
  assert.deepEqual(limits, [{ statement: '30s', lock: '10s', idle: '1min', zone: 'UTC' }])
  await query(ownerUrl, 'create table core.theirs (id int)')
  await query(systemUrl, 'create table graphile_worker.jobs (id int)')
  await assert.rejects(query(appUrl, 'select * from theirs'), { code: '42501' })
})

test('nobody else may connect', async () => {
  const other = new URL(serverUrl)
  other.pathname = `/${encodeURIComponent(database)}`
  const stranger = `stranger_${unique}`
  await query(serverUrl, `create role ${stranger} login password 'stranger'`)
  other.username = stranger
  other.password = 'stranger'
  await assert.rejects(query(other.href, 'select 1'), { code: '42501' })
  await query(serverUrl, `drop role ${stranger}`)
})

/** Everything that a set-up decides, but the passwords. */
async function describe() {
  const names = [roles.owner, roles.app, roles.system].map(({ name }) => pg.escapeLiteral(name)).join(', ')
  const inside = new URL(serverUrl)
  inside.pathname = `/${encodeURIComponent(database)}`
  return {
    roles: await query(
      serverUrl,
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, setconfig
       from pg_roles left join pg_db_role_setting on setrole = pg_roles.oid where rolname in (${names}) order by 1`,
    ),
    members: await query(
      serverUrl,
      `select roleid::regrole::text as role, member::regrole::text as member from pg_auth_members
       where roleid::regrole::text like '%${unique}%' order by 1, 2`,
    ),
    database: await query(
      inside.href,
      `select pg_get_userbyid(datdba) as owner, datacl::text, pg_encoding_to_char(encoding) as encoding
       from pg_database where datname = current_database()`,
    ),
    schemas: await query(
      inside.href,
      'select nspname, nspacl::text, pg_get_userbyid(nspowner) from pg_namespace order by 1',
    ),
  }
}

async function query(connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
