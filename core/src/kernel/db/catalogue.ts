import { sql } from 'kysely'
import type pg from 'pg'
import type { Product } from '../product.ts'
import { COMMON, RULES } from './catalogue-rules.ts'
import type { Database } from './database.ts'

/** Runs a statement and returns its rows; the role must be able to read `tenantry.tables`. */
export type CatalogueQuery = <R extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<R[]>

/** Names of the two runtime roles. */
export interface RuntimeRoles {
  app: string
  system: string
}

/**
 * Checks the tables against the rules that separate tenants and allow a cluster. Returns a sentence for each violation,
 * naming table and rule; empty when there is none.
 */
export async function checkCatalogue(query: CatalogueQuery, given?: RuntimeRoles): Promise<string[]> {
  const roles = given ?? (await findRuntimeRoles(query))
  if (typeof roles === 'string') return [roles]
  const broken = await query<{ problem: string }>(ALL_RULES, [roles.app, roles.system])
  return broken.map(({ problem }) => problem)
}

// One statement, because each start waits for it: the common parts are read once.
const ALL_RULES = `${COMMON} select problem from (
${RULES.map(({ sql }, at) => `select ${at} as rule, problem from (${sql}) broken`).join('\nunion all\n')}
) found order by rule, problem`

/**
 * The roles to which the kernel's first migration granted its functions: `set_tenant` to both, `ensure_partitions` to
 * the system role only. A sentence when they cannot be determined.
 */
async function findRuntimeRoles(query: CatalogueQuery): Promise<RuntimeRoles | string> {
  const granted = await query<{ name: string; is_system: boolean }>(
    `select r.rolname as name, bool_or(p.proname = 'ensure_partitions') as is_system
     from pg_proc p cross join lateral aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
     where p.pronamespace = to_regnamespace('tenantry') and p.proname in ('set_tenant', 'ensure_partitions') and a.grantee <> p.proowner
     group by 1`,
  )
  const [app, system] = [false, true].map((is) =>
    granted.filter(({ is_system }) => is_system === is).map(({ name }) => name),
  )
  if (app?.length === 1 && system?.length === 1) return { app: app[0]!, system: system[0]! } // counted just before
  const names = granted.map(({ name }) => name).join(', ')
  return `the functions of the schema tenantry are granted to other roles than one application and one system role: ${names || 'none'}`
}

/**
 * Checks that row-level security applies to the application role. Returns a sentence for each problem. Without `roles`
 * it checks those that the migrations granted to.
 */
export async function checkRoles(query: CatalogueQuery, given?: RuntimeRoles): Promise<string[]> {
  const roles = given ?? (await findRuntimeRoles(query))
  if (typeof roles === 'string') return [roles]
  const { app, system } = roles
  if (app === system) return [`the application role and the system role are one and the same: ${app}`]
  const broken = await query<{ problem: string }>(ROLE_RULES, [app, system])
  return broken.map(({ problem }) => problem)
}

// A member of a role can assume its rights (SET ROLE), so memberships count like attributes.
const ROLE_RULES = `
with app as (select oid, rolname, rolcreaterole from pg_roles where rolname = $1)
select format('there is no role %s', wanted) as problem from unnest(array[$1, $2]::text[]) wanted
  where not exists (select from pg_roles where rolname = wanted)
union all
select format('the application role %s is %s', app.rolname, case when r.oid = app.oid then 'a superuser' else format('a member of the superuser %s', r.rolname) end)
  from app join pg_roles r on r.rolsuper and pg_has_role(app.oid, r.oid, 'member')
  where r.oid = app.oid or not exists (select from pg_roles self where self.oid = app.oid and self.rolsuper)
union all
select format('the application role %s bypasses row-level security%s', app.rolname, case when r.oid = app.oid then '' else format(' as a member of %s', r.rolname) end)
  from app join pg_roles r on r.rolbypassrls and not r.rolsuper and pg_has_role(app.oid, r.oid, 'member')
union all
select format('the application role %s may create roles, and so give itself any', app.rolname) from app where rolcreaterole
union all
select format('the application role %s is a member of %s, the owner of the table %s', app.rolname, pg_get_userbyid(c.relowner), min(c.relname::text))
  from app join pg_class c on c.relowner <> app.oid and c.relnamespace in (to_regnamespace('core'), to_regnamespace('tenantry')) and c.relkind in ('r', 'p')
  where pg_has_role(app.oid, c.relowner, 'member') group by app.rolname, c.relowner
union all
select format('the application role %s is a member of %s, for whom the table %s has a policy that shows every tenant', app.rolname, r.rolname, min(c.relname::text))
  from app join pg_policy p on pg_get_expr(p.polqual, p.polrelid) = 'true' join pg_class c on c.oid = p.polrelid
  join pg_roles r on r.oid = any (p.polroles) where pg_has_role(app.oid, r.oid, 'member')
    and exists (select from pg_policy own where own.polrelid = p.polrelid and own.polname = 'tenant_isolation') group by app.rolname, r.rolname
union all
select format('the application role %s owns the %s%s', app.rolname,
    (array_agg(what.name order by d.classid <> 'pg_class'::regclass, what.name))[1], case when count(*) > 1 then format(' and %s more', count(*) - 1) else '' end)
  from app join pg_shdepend d on d.refclassid = 'pg_authid'::regclass and d.refobjid = app.oid and d.deptype = 'o'
  cross join lateral (select pg_describe_object(d.classid, d.objid, d.objsubid) as name) what
  where d.dbid = (select oid from pg_database where datname = current_database()) group by app.rolname
union all
select format('the application role %s owns the database %s', app.rolname, datname) from app join pg_database on datdba = app.oid where datname = current_database()
union all
select format('the system role %s is a superuser', rolname) from pg_roles where rolname = $2 and rolsuper`

/** The roles do not separate tenants: the server must not start. */
export class UnsafeRoles extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[], { command }: Product) {
    super(
      `The database roles do not keep tenants apart:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nPut the URLs that "${command} db setup" prints into DATABASE_URL and DATABASE_SYSTEM_URL.`,
    )
    this.name = 'UnsafeRoles'
    this.problems = problems
  }
}

/** Tables violate the rules that separate tenants: the server must not start. */
export class UnsafeTables extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The tables do not keep tenants apart:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'UnsafeTables'
    this.problems = problems
  }
}

/** For the start: throws `UnsafeTables` unless all tables of all modules follow the rules. */
export async function assertTablesAreSafe(db: Database): Promise<void> {
  const problems = await checkCatalogue(db.systemQuery)
  if (problems.length > 0) throw new UnsafeTables(problems)
}

/** For the start: throws `UnsafeRoles` unless the roles of both pools have the required restrictions. */
export async function assertRolesAreSafe(db: Database, product: Product): Promise<void> {
  const { rows } = await db.transaction({ tenantId: null, role: 'app', readOnly: true }, (tx) =>
    sql<{ name: string }>`select current_user::text as name`.execute(tx),
  )
  const [system] = await db.systemQuery<{ name: string }>('select current_user::text as name')
  const roles = { app: rows[0]!.name, system: system!.name } // such a query has exactly one row
  const problems = await checkRoles(db.systemQuery, roles)
  if (problems.length > 0) throw new UnsafeRoles(problems, product)
}
