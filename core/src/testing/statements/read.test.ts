import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createStatementCheck, StatementError } from '../statements.ts'
import { readStatement } from './read.ts'

const TABLES = new Map([
  ['stores', 'tenant_id'],
  ['roles', 'tenant_id'],
  ['members', 'tenant_id'],
  ['tenants', 'id'],
])
const problemsOf = (sql: string) => readStatement(sql, TABLES).problems

const GOOD: Record<string, string> = {
  'a plain look-up': 'select * from "stores" where "tenant_id" = $1 and "id" = $2',
  'the tenant on the right': 'select 1 from stores where $1 = tenant_id',
  'a cast parameter': 'select * from stores where tenant_id = $1::uuid and (tenant_id = cast($1 as uuid))',
  'the tenants table by its own key': 'select "id" from "tenants" where "id" = $1',
  'an alias':
    'select "s"."id" from "stores" as "s" where "s"."tenant_id" = $1 order by "s"."id" desc limit $2 for update of s skip locked',
  'a schema in front': 'select * from core.stores where core.stores.tenant_id = $1',
  'a join':
    'select * from "stores" as "s" inner join "roles" as "r" on "r"."tenant_id" = "s"."tenant_id" and "r"."id" = "s"."id" where "s"."tenant_id" = $1',
  'a join bound by its second table':
    'select * from stores s left join roles r on s.tenant_id = r.tenant_id where (r.tenant_id = $1 and r.id = $2)',
  'a join of three':
    'select * from stores a join roles b on a.tenant_id = b.tenant_id join members c on c.tenant_id = b.tenant_id where a.tenant_id = $1',
  'a join with using': 'select * from stores join roles using (tenant_id, id) where stores.tenant_id = $1',
  'a join of tenants': 'select * from tenants t join stores s on s.tenant_id = t.id where t.id = $1',
  'a global table beside': 'select * from stores s join users u on u.id = s.owner_id where s.tenant_id = $1',
  'global tables alone': 'select * from users where id = $1 or tenant_id = $2',
  functions: 'select pg_notify($1, $2), stores($3)',
  'a row-set function':
    'select * from unnest($2::uuid[]) with ordinality as wanted (id, at) join stores s on s.tenant_id = $1 and s.id = wanted.id',
  'an OR among other conditions':
    'select * from stores where tenant_id = $1 and (id = $2 or name = $3) and x between $4 and $5',
  'is distinct from': 'select a is distinct from b from stores where tenant_id = $1 and name is not distinct from $2',
  'from inside a function': 'select extract(epoch from created_at) from stores where tenant_id = $1',
  'a CTE': 'with "mine" as (select * from "stores" where "tenant_id" = $1) select * from "mine" where "id" = $2',
  'a CTE joined by the tenant':
    'with mine as (select * from stores where tenant_id = $1) select * from roles r join mine m on m.tenant_id = r.tenant_id',
  'a recursive CTE': `with recursive up (tenant_id, id) as (select tenant_id, id from stores where tenant_id = $1 and id = $2
    union all select s.tenant_id, s.id from stores s join up on up.tenant_id = s.tenant_id and up.id = s.parent_id) select * from up`,
  'a union': 'select id from stores where tenant_id = $1 union all select id from roles where tenant_id = $2',
  'a sub-select': 'select * from (select id from stores where tenant_id = $1) as s where s.id = $2',
  'a scalar sub-select':
    'select id, (select count(*) from roles r where r.tenant_id = s.tenant_id) as n from stores s where s.tenant_id = $1',
  'exists by the outer row':
    'select * from stores s where s.tenant_id = $1 and exists (select from roles r where r.tenant_id = s.tenant_id and r.id = s.id)',
  'not exists by a parameter':
    'select * from stores where tenant_id = $1 and not exists (select 1 from roles where tenant_id = $2)',
  in: 'select * from stores where tenant_id = $1 and id in (select id from roles where roles.tenant_id = $1)',
  'a lateral join':
    'select * from stores s cross join lateral (select * from roles r where r.tenant_id = s.tenant_id limit 1) as r where s.tenant_id = $1',
  insert: 'insert into "stores" ("tenant_id", "id") values ($1, $2), ($3, $4) returning *',
  'insert … on conflict': `insert into stores (id, tenant_id) values ($1, $2) on conflict (tenant_id, id) do update set name = excluded.name where stores.name <> $3 returning id`,
  'insert … select':
    'insert into roles (tenant_id, id) select tenant_id, id from stores where tenant_id = $1 returning 1',
  'insert … select whose functions take parameters':
    'insert into roles (tenant_id, id) select $1, md5($2)::uuid from unnest($3::uuid[]) as id returning 1',
  'insert … select from a row set':
    'insert into roles (tenant_id, id) select $1, id from unnest($2::uuid[]) as id on conflict do nothing',
  update: 'update "stores" set "name" = $1 where "tenant_id" = $2 and "id" = $3 returning *',
  'update … from':
    'update stores as s set name = r.name from roles r where s.tenant_id = $1 and r.tenant_id = s.tenant_id and r.id = s.id',
  'update … from a sub-select':
    'update stores s set n = c.n from (select tenant_id, count(*) n from roles where tenant_id = $1 group by 1) c where c.tenant_id = s.tenant_id',
  delete: 'delete from "stores" where "tenant_id" = $1',
  'delete … using': 'delete from stores s using roles r where r.tenant_id = s.tenant_id and s.tenant_id = $1',
  'a quoted name that looks like a keyword': 'select "from" from "stores" where "tenant_id" = $1',
  'strings that look like SQL': `select 'from roles', $$ from roles $$, e'it\\'s from roles' from stores where tenant_id = $1 -- from roles`,
}

const BAD: Record<string, [sql: string, problem: RegExp]> = {
  'a look-up by id alone': ['select * from "stores" where "id" = $1', /uses stores without tenant_id = \$n/],
  'no condition': ['select * from stores', /uses stores without/],
  'the tenant from the setting': [
    "select * from stores where tenant_id = current_setting('app.tenant_id')::uuid",
    /uses stores without/,
  ],
  'the tenant under OR': ['select * from stores where tenant_id = $1 or id = $2', /uses stores without/],
  'the tenant under OR in parentheses': [
    'select * from stores where (tenant_id = $1 or true) and id = $2',
    /uses stores without/,
  ],
  'the tenant under NOT': ['select * from stores where not (tenant_id = $1)', /uses stores without/],
  'a list of tenants': ['select * from stores where tenant_id = any($1)', /uses stores without/],
  'a comparison that is no equality': ['select * from stores where tenant_id <> $1', /uses stores without/],
  'the tenant among the columns only': ['select tenant_id = $1 from stores', /uses stores without/],
  'tenants by another column': ['select * from tenants where slug = $1', /uses tenants without id = \$n/],
  'the wrong alias': ['select * from stores s join users u on u.tenant_id = $1', /uses s without/],
  'a join without the tenant': [
    'select * from stores s join roles r on r.id = s.role_id where s.tenant_id = $1',
    /uses r without/,
  ],
  'a join by a second parameter': [
    'select * from stores s left join roles r on r.id = s.id and r.tenant_id = $2 where s.tenant_id = $1',
    /joins r by other columns/,
  ],
  'a comma join': ['select * from stores s, roles r where s.tenant_id = $1', /uses r without/],
  'a join in parentheses': [
    'select * from (stores s join roles r on r.id = s.id) where s.tenant_id = $1',
    /uses r without/,
  ],
  'a CTE': ['with x as (select * from stores) select * from x', /uses stores without/],
  'a table beside a CTE': [
    'with x as (select * from stores where tenant_id = $1) select * from roles r join x on x.id = r.id',
    /uses r without/,
  ],
  'a recursive part': [
    `with recursive up as (select tenant_id, id from stores where tenant_id = $1
    union all select s.tenant_id, s.id from stores s join up on up.id = s.parent_id) select * from up`,
    /uses s without/,
  ],
  'a sub-select': ['select * from users where id in (select user_id from members)', /uses members without/],
  'a sub-select deep in a function': [
    'select coalesce((select name from roles where id = $2), $3) from stores where tenant_id = $1',
    /uses roles without/,
  ],
  exists: [
    'select * from stores s where s.tenant_id = $1 and exists (select 1 from roles r where r.id = s.id)',
    /uses r without/,
  ],
  'one part of a union': [
    'select id from stores where tenant_id = $1 union select id from roles',
    /uses roles without/,
  ],
  'a global directory as the driver': [
    'select * from stores s join user_tenants u on u.tenant_id = s.tenant_id where u.user_id = $1',
    /uses s without/,
  ],
  'insert without the column': ['insert into stores (id) values ($1)', /inserts into stores without its tenant_id/],
  'insert without columns': ['insert into stores values ($1, $2)', /inserts into stores without its tenant_id/],
  'insert … select without RETURNING': [
    'insert into roles (tenant_id, id) select tenant_id, id from stores where tenant_id = $1',
    /from a SELECT without RETURNING/,
  ],
  'insert … select of all tenants': [
    'insert into roles (tenant_id, id) select tenant_id, id from stores returning 1',
    /uses stores without/,
  ],
  'an upsert that moves the row': [
    'insert into stores (tenant_id, id) values ($1, $2) on conflict (tenant_id, id) do update set tenant_id = $3',
    /changes the tenant_id of stores/,
  ],
  'update by id alone': ['update "stores" set "name" = $1 where "id" = $2', /uses stores without/],
  'update of the tenant': [
    'update stores set name = $1, tenant_id = $2 where tenant_id = $3',
    /changes the tenant_id of stores/,
  ],
  'update … from without the tenant': [
    'update stores s set name = r.name from roles r where s.tenant_id = $1 and r.id = s.id',
    /uses r without/,
  ],
  'delete by id alone': ['delete from stores where id = $1', /uses stores without/],
  'delete … using': ['delete from stores s using roles r where s.tenant_id = $1 and r.id = s.id', /uses r without/],
  truncate: ['truncate stores', /is none of SELECT/],
  merge: ['merge into stores using roles on true when matched then delete', /is none of SELECT/],
}

describe('statements that keep to their tenant', () => {
  for (const [what, sql] of Object.entries(GOOD)) it(`accepts ${what}`, () => assert.deepEqual(problemsOf(sql), []))
})

describe('statements that do not', () => {
  for (const [what, [sql, problem]] of Object.entries(BAD))
    it(`refuses ${what}`, () => assert.match(problemsOf(sql).join('\n'), problem))
})

describe('the check of a test run', () => {
  const A = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'
  const B = '01926f3c-7b1e-7cc3-98c4-dc0c0c073990'
  const run = (sql: string, values: unknown[], role: 'app' | 'system' = 'app') => {
    const check = createStatementCheck(TABLES)
    check.observe(sql, values, { tenantId: A, role })
    check.assertNone()
  }

  it('says which statement broke which rule, each once', () => {
    const check = createStatementCheck(TABLES)
    for (let i = 0; i < 3; i++) check.observe('delete from stores', [], { tenantId: A, role: 'app' })
    assert.throws(check.assertNone, (error: StatementError) => {
      assert.deepEqual(error.violations, [{ problem: 'uses stores without tenant_id = $n', sql: 'delete from stores' }])
      return error instanceof StatementError
    })
  })

  it('leaves the system role alone', () => run('select * from stores', [], 'system'))

  it('refuses another tenant than that of the transaction', () => {
    run('select * from stores where id = $1 and tenant_id = $2', [B, A.toUpperCase()])
    assert.throws(() => run('select * from stores where id = $1 and tenant_id = $2', [A, B]), /\$2 is not the tenant/)
    assert.throws(
      () => run('insert into stores (id, tenant_id) values ($1, $2), ($3, $4)', [A, A, A, B]),
      /\$4 is not the tenant/,
    )
    assert.throws(
      () => run('insert into roles (tenant_id, id) select $1, md5($2)::uuid from users returning 1', [B, 'x']),
      /\$1 is not the tenant/,
    )
    assert.throws(() => run('update stores set name = $1 where tenant_id = $2', [A, null]), /\$2 is not the tenant/)
  })
})
