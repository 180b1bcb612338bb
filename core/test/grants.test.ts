import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Person, refresh, register } from '../src/modules/auth/auth.fixture.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { FUNCTIONS, type Rights, TABLES } from './grants.ts'

const ROLES = { tenantry_test_app: 'app', tenantry_test_system: 'system' } as const // the names are keys
const WORDS = ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain']

let core: TestCore
let client: pg.Client
before(async () => {
  core = await createTestCore()
  client = new pg.Client({ connectionString: core.database.superuserUrl })
  await client.connect()
})
after(async () => {
  await client.end()
  await core.close()
})

interface Grant {
  /** Null: everybody. */
  role: string | null
  thing: string
  right: string
  columns: string[] | null
}

/** All that is granted on tables but to their owner, in words: `select, update (name)`. */
async function readTables(): Promise<Record<string, Rights>> {
  const { rows } = await client.query<Grant>(`
    with things as (
      select c.oid, c.relowner, c.relacl, case n.nspname when 'core' then '' else n.nspname || '.' end || c.relname as thing
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('core', 'tenantry') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not c.relispartition)
    select r.rolname as role, thing, lower(a.privilege_type) as right, null as columns
    from things cross join lateral aclexplode(relacl) a left join pg_roles r on r.oid = a.grantee where a.grantee <> relowner
    union all
    select r.rolname, thing, lower(a.privilege_type), array_agg(t.attname::text order by t.attnum)
    from things join pg_attribute t on t.attrelid = things.oid and not t.attisdropped cross join lateral aclexplode(t.attacl) a
    left join pg_roles r on r.oid = a.grantee where a.grantee <> relowner group by 1, 2, 3`)
  const names = await client.query<{ name: string }>(
    "select name from tenantry.tables union all select 'tenantry.' || relname from pg_class where relnamespace = 'tenantry'::regnamespace and relkind = 'r'",
  )
  return Object.fromEntries(names.rows.map(({ name }) => [name, rightsOf(rows.filter(({ thing }) => thing === name))]))
}

function rightsOf(grants: Grant[]): Rights {
  const rights: Rights = { app: '', system: '' }
  for (const [name, role] of Object.entries(ROLES))
    rights[role] = inWords(grants.filter((grant) => grant.role === name))
  const others = grants.filter(({ role }) => role === null || !(role in ROLES))
  return others.length === 0 ? rights : { ...rights, others: inWords(others) }
}

function inWords(grants: Grant[]): string {
  const order = ({ right }: Grant) => WORDS.indexOf(right)
  return grants
    .sort((a, b) => order(a) - order(b))
    .map(({ right, columns }) => (columns ? `${right} (${columns.join(', ')})` : right))
    .join(', ')
}

async function readFunctions(): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; who: string[] }>(`
    select p.proname as name, array_remove(array_agg(distinct coalesce(r.rolname, 'everybody')::text), null) as who
    from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    left join pg_roles r on r.oid = a.grantee
    where p.pronamespace in ('core'::regnamespace, 'tenantry'::regnamespace) group by p.oid, p.proname`)
  const shown = (who: string[]) =>
    who
      .filter((name) => name !== 'tenantry_test_owner')
      .map((name) => (name in ROLES ? ROLES[name as keyof typeof ROLES] : name)) // just asked
      .join(', ')
  return Object.fromEntries(rows.map(({ name, who }) => [name, shown(who)]))
}

describe('what each database role may do', () => {
  test('with each table is what is written down', async () => {
    assert.deepEqual(await readTables(), TABLES)
  })

  test('is to call the functions that are written down', async () => {
    assert.deepEqual(await readFunctions(), FUNCTIONS)
  })

  test('to a table is asked for by a right that there is', async () => {
    for (const right of ['truncate', 'select; drop table users', 'update (name', 'all', 'select (name) to public'])
      await assert.rejects(client.query('select tenantry.app_may($1, $2)', ['stores', right]), { code: '22023' }, right)
    await assert.rejects(client.query("select tenantry.app_may('audit_logs', 'select', 'delete')"), { code: '22023' })
  })
})

/** What somebody tries who has the application role's connection: an injected statement, or a stolen DATABASE_URL. */
const FORBIDDEN = [
  'update plans set price_cents = 0',
  'insert into plans select * from plans limit 0',
  'delete from plans',
  'update users set is_super_admin = true',
  "update users set operator_roles = '{billing}'",
  "update users set email = 'me@example.com', email_normalized = 'me@example.com'",
  "update users set status = 'active'",
  'update users set two_factor_enabled = false',
  "insert into users (id, created_at, updated_at, email, email_normalized, name, locale, timezone, two_factor_enabled, is_super_admin, status) values (gen_random_uuid(), now(), now(), 'm@x.y', 'm@x.y', 'M', 'en', 'UTC', false, true, 'active')",
  'delete from users',
  'select token_hash from bootstraps',
  'delete from bootstraps',
  'insert into bootstraps (id, created_at) values (true, now())',
  'insert into signing_keys select * from signing_keys',
  'update signing_keys set retire_at = null',
  'delete from signing_keys',
  'delete from sessions',
  'update sessions set user_id = user_id',
  'update sessions set in_cookie = false',
  'update sessions set operator_id = null',
  'update sessions set read_only = false',
  'update impersonations set reason = reason',
  'update refresh_tokens set expires_at = now()',
  'select * from global_audit_logs',
  'update audit_chains set removed_to = sealed_to',
  'delete from audit_chains',
  'insert into audit_blocks select * from audit_blocks',
  "update tenants set status = 'active'",
  'delete from tenants',
  'delete from subscriptions',
  'select tenantry.remove_audit_logs(gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1)',
  'select * from tenantry.migrations',
]

describe('the application role alone', () => {
  let owner: Person
  let app: pg.Client
  before(async () => {
    owner = await register(core)
    app = new pg.Client({ connectionString: core.database.appUrl })
    await app.connect()
    await app.query("select set_config('app.tenant_id', $1, false)", [owner.tenantId])
  })
  after(() => app.end())

  for (const sql of FORBIDDEN)
    test(`may not: ${sql.slice(0, 70)}`, () => assert.rejects(app.query(sql), { code: '42501' }))

  test('revokes a session and spends a token, and cannot take either back', async () => {
    await refresh(core, owner.refreshToken)
    await core.request('POST', '/api/v1/auth/forgot-password', { body: { email: owner.email } })
    await drainJobs(core.core, null)
    for (const [table, column] of [
      ['sessions', 'revoked_at'],
      ['refresh_tokens', 'used_at'],
      ['user_tokens', 'used_at'],
    ] as const) {
      // the names make the statements
      const all = async () =>
        (await client.query(`select count(*)::int as n from core.${table} where ${column} is null`)).rows[0]?.n
      assert.ok((await all()) > 0, `${table} has something to end`)
      await app.query(`update ${table} set ${column} = now()`)
      assert.equal(await all(), 0)
      const undone = await app.query(`update ${table} set ${column} = null where ${column} is not null`)
      assert.deepEqual([undone.rowCount, await all()], [0, 0], table)
      const spent = `insert into ${table} select * from ${table} limit 1`
      await assert.rejects(app.query(spent), { code: '42501' }, 'nor make one that was ended before')
    }
    assert.equal((await refresh(core, owner.refreshToken)).status, 401)
  })
})
