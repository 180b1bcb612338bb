import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import {
  assertRolesAreSafe,
  type CatalogueQuery,
  checkCatalogue,
  checkRoles,
  UnsafeRoles,
} from '../src/kernel/db/catalogue.ts'
import type { Database } from '../src/kernel/db/database.ts'
import { completeProduct } from '../src/kernel/product.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { toy } from './toy-module.ts'

const APP = 'tenantry_test_app'
const SYSTEM = 'tenantry_test_system'
/** A tenant table as a migration makes it, and a second one that refers to the first. */
const SHELVES = `create table shelves (tenant_id uuid not null, id uuid not null, toy_id uuid, primary key (tenant_id, id));
  select tenantry.tenant_table('shelves');`
const PEOPLE = `create table people (id uuid primary key, toy_id uuid, tenant_id uuid); select tenantry.global_table('people', 'test');`
const LONG = 'a_name_that_leaves_no_room_for_the_suffix_of_a_shard'

/** What breaks each rule, and exactly what is to be said of it. */
const BROKEN: [rule: string, sql: string, problems: string[]][] = [
  [
    'a table that says not what it is',
    'create table strays (id uuid primary key)',
    [
      'table strays is registered neither as tenant-owned (tenantry.tenant_table) nor as global (tenantry.global_table)',
    ],
  ],
  ['a registered table that is gone', 'drop table toys', ['table toys is registered but does not exist']],
  [
    'a table elsewhere',
    'create table public.strays (id uuid primary key)',
    ['table public.strays stands outside of the schema core'],
  ],
  [
    "a view with its owner's eyes",
    'create view all_toys as select * from toys',
    ['view all_toys reads as its owner, past row-level security (security_invoker is missing)'],
  ],
  [
    'a materialized view',
    'create materialized view all_toys as select * from toys',
    ['view all_toys is materialized: its rows know no tenant'],
  ],
  [
    'a nullable tenant key',
    `${SHELVES} alter table shelves drop constraint shelves_pkey; alter table shelves alter tenant_id drop not null;
    create unique index shelves_key on shelves (tenant_id, id)`,
    ['table shelves has no primary key', 'table shelves has the tenant key tenant_id, which is not "uuid not null"'],
  ],
  [
    'a tenant key of text',
    `create table shelves (tenant_id text not null, id uuid not null, primary key (tenant_id, id));
    insert into tenantry.tables values ('shelves', 'tenant', 'tenant_id'); alter table shelves enable row level security;
    create policy tenant_isolation on shelves to ${APP} using (tenant_id = current_setting('app.tenant_id'));
    create policy system_access on shelves to ${SYSTEM} using (true) with check (true)`,
    [
      'table shelves has no policy tenant_isolation as tenant_table() makes it',
      'table shelves has the tenant key tenant_id, which is not "uuid not null"',
    ],
  ],
  [
    'no tenant key',
    `create table shelves (id uuid primary key); insert into tenantry.tables values ('shelves', 'tenant', 'tenant_id')`,
    [
      'table shelves has a primary key that does not begin with tenant_id',
      'table shelves has no policy system_access as tenant_table() makes it',
      'table shelves has no policy tenant_isolation as tenant_table() makes it',
      'table shelves has no row-level security',
      'table shelves has no tenant key tenant_id',
      'table shelves has the unique index shelves_pkey without tenant_id',
    ],
  ],
  [
    'a primary key that begins otherwise',
    `create table shelves (tenant_id uuid not null, id uuid not null, primary key (id, tenant_id));
    select tenantry.tenant_table('shelves')`,
    ['table shelves has a primary key that does not begin with tenant_id'],
  ],
  [
    'a global table without a primary key',
    `create table people (id uuid); select tenantry.global_table('people', 'test')`,
    ['table people has no primary key'],
  ],
  [
    'a name unique across tenants',
    'create unique index toys_name_key on toys (name) include (tenant_id)',
    ['table toys has the unique index toys_name_key without tenant_id'],
  ],
  [
    'an exclusion across tenants',
    'alter table toys add constraint toys_name_excl exclude (name with =)',
    ['table toys has the unique index toys_name_excl without tenant_id'],
  ],
  [
    'an identity column',
    'alter table toys add number integer generated always as identity',
    ['table toys has the identity or serial column number'],
  ],
  ['a serial column', 'alter table toys add number serial', ['table toys has the identity or serial column number']],
  [
    'a foreign key without the tenant',
    `alter table toys add constraint toys_id_key unique (id);
    ${SHELVES} alter table shelves add constraint shelves_toy_fkey foreign key (toy_id) references toys (id);
    create index on shelves (tenant_id, toy_id)`,
    [
      'table shelves has no index behind the foreign key shelves_toy_fkey that begins with the tenant key',
      'table shelves has the foreign key shelves_toy_fkey without the tenant key on both sides',
      'table toys has the unique index toys_id_key without tenant_id',
    ],
  ],
  [
    'a foreign key that pairs the tenant with another column',
    `${SHELVES} create unique index toys_turned on toys (id, tenant_id);
    alter table shelves add constraint shelves_toy_fkey foreign key (tenant_id, toy_id) references toys (id, tenant_id);
    create index on shelves (tenant_id, toy_id)`,
    ['table shelves has the foreign key shelves_toy_fkey without the tenant key on both sides'],
  ],
  [
    'a foreign key from a global table',
    `${PEOPLE} create index on people (tenant_id, toy_id);
    alter table people add constraint people_toy_fkey foreign key (tenant_id, toy_id) references toys`,
    ['table people is global but has the foreign key people_toy_fkey to the tenant-owned table toys'],
  ],
  [
    'SET NULL',
    `${SHELVES} create index on shelves (tenant_id, toy_id); alter table shelves add constraint shelves_toy_fkey
    foreign key (tenant_id, toy_id) references toys on delete set null (toy_id)`,
    ['table shelves has the foreign key shelves_toy_fkey with SET NULL or SET DEFAULT'],
  ],
  [
    'a foreign key without an index',
    `${SHELVES} create index on shelves (toy_id, tenant_id); alter table shelves add constraint shelves_toy_fkey
    foreign key (tenant_id, toy_id) references toys`,
    ['table shelves has no index behind the foreign key shelves_toy_fkey that begins with the tenant key'],
  ],
  [
    'a foreign key to a global table without an index',
    `${PEOPLE} ${SHELVES} alter table shelves add constraint shelves_person_fkey
    foreign key (toy_id) references people; create index on shelves (tenant_id, id, toy_id)`,
    ['table shelves has no index behind the foreign key shelves_person_fkey that begins with the tenant key'],
  ],
  [
    'a long name',
    `alter table toys add constraint ${LONG} check (name <> '')`,
    [`table toys has the constraint or unique index ${LONG}, whose name exceeds 50 characters`],
  ],
  ['no row-level security', 'alter table toys disable row level security', ['table toys has no row-level security']],
  [
    'forced row-level security',
    'alter table toys force row level security',
    ['table toys forces row-level security, which breaks foreign keys and shard moves'],
  ],
  [
    'a missing policy',
    'drop policy tenant_isolation on toys',
    ['table toys has no policy tenant_isolation as tenant_table() makes it'],
  ],
  [
    'a policy that forgives a lost tenant',
    `alter policy tenant_isolation on toys using (tenant_id = current_setting('app.tenant_id', true)::uuid)`,
    ['table toys has no policy tenant_isolation as tenant_table() makes it'],
  ],
  [
    'a policy for everybody',
    'alter policy system_access on toys to public',
    ['table toys has no policy system_access as tenant_table() makes it'],
  ],
  [
    'a policy for one command',
    `drop policy tenant_isolation on toys;
    create policy tenant_isolation on toys for select to ${APP} using (tenant_id = current_setting('app.tenant_id')::uuid)`,
    ['table toys has no policy tenant_isolation as tenant_table() makes it'],
  ],
  [
    'a third policy',
    `create policy shared on toys for select to ${APP} using (name = 'shared')`,
    ['table toys has the policy shared beside the two of tenant_table()'],
  ],
  [
    'a sub-select in a policy',
    `${PEOPLE} alter table people enable row level security;
    create policy theirs on people using (tenant_id = (select current_setting('app.tenant_id')::uuid))`,
    ['table people has the policy theirs with a sub-select'],
  ],
  [
    'a trigger',
    `create trigger touch before update on toys for each row execute function suppress_redundant_updates_trigger()`,
    ['table toys has the trigger touch'],
  ],
  [
    'a rewrite rule',
    'create rule quiet as on delete to toys do instead nothing',
    ['table toys has the rewrite rule quiet'],
  ],
  [
    'a grant on a partition',
    `grant select on audit_logs_other to ${APP}`,
    ['partition audit_logs_other has grants of its own; there is no row-level security on it'],
  ],
  [
    'default privileges',
    `alter default privileges for role tenantry_test_owner in schema core grant select on tables to ${APP}`,
    [`tables made by tenantry_test_owner are granted by default to ${APP}`],
  ],
  [
    'a history that can be rewritten',
    `grant update (action) on audit_logs to ${APP}`,
    [`table audit_logs is append-only but the role ${APP} may change or remove its rows`],
  ],
  [
    'TRUNCATE, which asks no policy',
    `grant truncate on toys to ${APP}`,
    [`table toys grants truncate to the role ${APP}`],
  ],
  [
    'a role that changes what tables are',
    `grant update on tenantry.tables to ${APP}`,
    [`table tenantry.tables lets the role ${APP} write to it`],
  ],
  [
    'borrowed rights',
    `create function core.count_toys() returns bigint language sql security definer as 'select count(*) from core.toys'`,
    [`function count_toys() is SECURITY DEFINER and may be called by the role ${APP}`],
  ],
  [
    'a function of the schema tenantry for everybody',
    "create function tenantry.count_toys() returns bigint language sql as 'select count(*) from core.toys'",
    ['function tenantry.count_toys() may be called by everybody'],
  ],
]

// Roles belong to the server: new ones are looked at, so that tests beside this one keep theirs.
const ROLES: [what: string, sql: string, problem: RegExp][] = [
  ['a superuser', 'create role bad_app superuser', /^the application role bad_app is a superuser$/m],
  [
    'one that bypasses row-level security',
    'create role bad_app bypassrls',
    /^the application role bad_app bypasses row-level security$/m,
  ],
  [
    'one that may create roles',
    'create role bad_app createrole',
    /^the application role bad_app may create roles, and so give itself any$/m,
  ],
  [
    'a member of the owner',
    'create role bad_app in role tenantry_test_owner',
    /bad_app is a member of tenantry_test_owner, the owner of the table/,
  ],
  [
    'a member of the system role',
    `create role bad_app in role ${SYSTEM}`,
    /bad_app is a member of tenantry_test_system, for whom the table/,
  ],
  [
    'a member of one that bypasses row-level security',
    'create role strong bypassrls; create role bad_app noinherit in role strong',
    /^the application role bad_app bypasses row-level security as a member of strong$/m,
  ],
  [
    'the owner of a table',
    'create role bad_app; alter table toys owner to bad_app',
    /^the application role bad_app owns the table toys$/m,
  ],
  ['nobody', 'select 1', /^there is no role bad_app$/m],
]

/** Asks as the superuser, on a connection for each question. */
const onClientOf =
  ({ database }: TestCore): CatalogueQuery =>
  async (sql, values) => {
    const client = new pg.Client({ connectionString: database.superuserUrl })
    await client.connect()
    return (await client.query(sql, values).finally(() => client.end())).rows
  }

describe('the rules of the schema', () => {
  let test: TestCore
  let client: pg.Client
  const query: CatalogueQuery = async (sql, values) => (await client.query(sql, values)).rows
  /** Breaks something, looks, and takes it back. */
  const whileBroken = async <T>(sql: string, look: () => Promise<T>): Promise<T> => {
    await client.query('begin')
    try {
      await client.query(sql)
      return await look()
    } finally {
      await client.query('rollback')
    }
  }
  before(async () => {
    test = await createTestCore({ modules: [toy] })
    client = new pg.Client({ connectionString: test.database.superuserUrl })
    await client.connect()
    await client.query('set search_path = core, public')
  })
  after(async () => {
    await client.end()
    await test.close()
  })

  it('hold for the kernel and the toy module', async () => {
    assert.deepEqual(await checkCatalogue(query), [])
    assert.deepEqual(await checkRoles(query), [])
    await assertRolesAreSafe(test.core.db, test.core.product)
  })

  it('hold for the built-in modules', async () => {
    const builtin = await createTestCore()
    try {
      assert.deepEqual(await checkCatalogue(onClientOf(builtin)), [])
      assert.deepEqual(await checkRoles(onClientOf(builtin)), [])
      await assertRolesAreSafe(builtin.core.db, builtin.core.product)
    } finally {
      await builtin.close()
    }
  })

  for (const [what, sql, problems] of BROKEN)
    it(`see ${what}`, async () => {
      const found = await whileBroken(sql, () => checkCatalogue(query))
      assert.deepEqual(found.sort(), problems)
    })

  it('accept what only looks like a broken rule', async () => {
    const fine = `${SHELVES} create index on shelves (tenant_id, toy_id) where toy_id is not null; ${PEOPLE}
      alter table shelves add constraint shelves_toy_fkey foreign key (tenant_id, toy_id) references toys on delete cascade;
      alter table shelves add constraint shelves_person_fkey foreign key (toy_id) references people;
      create unique index toys_name_key on toys (lower(name), tenant_id) where noticed;
      create view seen with (security_invoker = true) as select * from toys`
    assert.deepEqual(await whileBroken(fine, () => checkCatalogue(query)), [])
  })

  for (const [what, sql, problem] of ROLES)
    it(`see ${what} in place of a safe role`, async () => {
      const found = await whileBroken(sql, () => checkRoles(query, { app: 'bad_app', system: SYSTEM }))
      assert.match(found.join('\n'), problem)
    })

  it('see a superuser in place of a safe system role', async () => {
    const found = await whileBroken('create role bad_system superuser', () =>
      checkRoles(query, { app: APP, system: 'bad_system' }),
    )
    assert.deepEqual(found, ['the system role bad_system is a superuser'])
  })

  it('see grants to other than the two roles', async () => {
    const revoked = `revoke execute on function tenantry.ensure_partitions from ${SYSTEM}`
    const [found] = await whileBroken(revoked, () => checkRoles(query))
    assert.match(found ?? '', /are granted to other roles than one application and one system role/)
  })

  it('refuse to start on roles that are not safe', async () => {
    const swapped: Database = {
      ...test.core.db,
      transaction: (scope, work) => test.core.db.transaction({ ...scope, role: 'system' }, work),
    }
    await assert.rejects(assertRolesAreSafe(swapped, completeProduct()), (error: UnsafeRoles) => {
      assert.deepEqual(error.problems, [`the application role and the system role are one and the same: ${SYSTEM}`])
      return error instanceof UnsafeRoles
    })
  })
})
