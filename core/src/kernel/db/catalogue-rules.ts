/** A rule for tables: `sql` returns a row for each violation with a sentence in the column `problem`. */
export interface Rule {
  name: string
  sql: string
}

/**
 * Common table expressions of the rules: `roles` (app, system: oids of the two runtime roles), `tables` (each
 * registered table that exists, without partitions, with the attribute number of its tenant key), `fks` (foreign keys
 * with both ends).
 */
export const COMMON = `
with roles as (
  select to_regrole(quote_ident($1))::oid as app, to_regrole(quote_ident($2))::oid as system, $1::text as app_name, $2::text as system_name
), tables as (
  select t.name, t.kind, t.append_only, c.oid, t.tenant_key, k.attnum as key, c.relrowsecurity, c.relforcerowsecurity
  from tenantry.tables t
  join pg_class c on c.relname = t.name and c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  left join pg_attribute k on k.attrelid = c.oid and k.attname = t.tenant_key and not k.attisdropped
), fks as (
  select f.conname, f.conkey, f.confkey, f.confdeltype, f.confupdtype, child.name as child, child.kind as child_kind,
    child.oid as child_oid, child.key as child_key, parent.name as parent, parent.kind as parent_kind, parent.key as parent_key
  from pg_constraint f join tables child on child.oid = f.conrelid left join tables parent on parent.oid = f.confrelid
  where f.contype = 'f' and f.conparentid = 0
)`

/** Every table is registered. */
const REGISTER: Rule[] = [
  {
    name: 'every table is registered',
    sql: `select 'table ' || c.relname || ' is registered neither as tenant-owned (tenantry.tenant_table) nor as global (tenantry.global_table)' as problem from pg_class c
      where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p', 'f') and not c.relispartition
        and not exists (select from tenantry.tables t where t.name = c.relname)`,
  },
  {
    name: 'every registered table exists',
    sql: `select 'table ' || t.name || ' is registered but does not exist' as problem from tenantry.tables t
      where not exists (select from tables where tables.name = t.name)`,
  },
  {
    name: 'no table stands outside of the schema core',
    sql: `select 'table ' || n.nspname || '.' || c.relname || ' stands outside of the schema core' as problem
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'f', 'm') and n.nspname not in ('core', 'tenantry', 'graphile_worker', 'pg_catalog', 'information_schema')
        and n.nspname !~ '^pg_(toast|temp)' and not exists (select from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`,
  },
  {
    name: 'views ask as the caller',
    sql: `select 'view ' || c.relname || case c.relkind when 'm' then ' is materialized: its rows know no tenant'
        else ' reads as its owner, past row-level security (security_invoker is missing)' end as problem
      from pg_class c where c.relnamespace = 'core'::regnamespace
        and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on,security_invoker=1}'))`,
  },
]

/** Keys start with the tenant, and nothing is unique or referenced across tenants. */
const KEYS: Rule[] = [
  {
    name: 'the tenant key is a uuid that is never null',
    sql: `select 'table ' || name || case when key is null then ' has no tenant key ' || coalesce(tables.tenant_key, '')
        else ' has the tenant key ' || tables.tenant_key || ', which is not "uuid not null"' end as problem
      from tables left join pg_attribute a on a.attrelid = tables.oid and a.attnum = key
      where kind = 'tenant' and (key is null or a.atttypid <> 'uuid'::regtype or not a.attnotnull)`,
  },
  {
    name: 'the primary key begins with the tenant key',
    sql: `select 'table ' || name || case when i.indexrelid is null then ' has no primary key'
        else ' has a primary key that does not begin with ' || tables.tenant_key end as problem
      from tables left join pg_index i on i.indrelid = tables.oid and i.indisprimary
      where i.indexrelid is null or (kind = 'tenant' and i.indkey[0] is distinct from key)`,
  },
  {
    name: 'unique indexes contain the tenant key',
    sql: `select 'table ' || name || ' has the unique index ' || i.indexrelid::regclass::text || ' without ' || tables.tenant_key as problem
      from tables join pg_index i on i.indrelid = tables.oid and (i.indisunique or i.indisexclusion)
      where kind = 'tenant' and not coalesce(key = any ((i.indkey::int2[])[0:i.indnkeyatts - 1]), false)`,
  },
  {
    name: 'no identity or serial columns in tenant tables',
    sql: `select 'table ' || name || ' has the identity or serial column ' || a.attname as problem
      from tables join pg_attribute a on a.attrelid = tables.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where kind = 'tenant' and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like '%nextval(%')`,
  },
  {
    name: 'foreign keys between tenant tables carry the tenant',
    sql: `select 'table ' || child || ' has the foreign key ' || conname || ' without the tenant key on both sides' as problem from fks
      where child_kind = 'tenant' and parent_kind = 'tenant' and not exists (
        select from unnest(conkey, confkey) as pair(child_column, parent_column)
        where pair.child_column = child_key and pair.parent_column = parent_key)`,
  },
  {
    name: 'no foreign key from a global to a tenant table',
    sql: `select 'table ' || child || ' is global but has the foreign key ' || conname || ' to the tenant-owned table ' || parent as problem
      from fks where child_kind = 'global' and parent_kind = 'tenant'`,
  },
  {
    name: 'no SET NULL or SET DEFAULT in tenant tables',
    sql: `select 'table ' || child || ' has the foreign key ' || conname || ' with SET NULL or SET DEFAULT' as problem
      from fks where child_kind = 'tenant' and (confdeltype in ('n', 'd') or confupdtype in ('n', 'd'))`,
  },
  {
    // A foreign key to a global table may be indexed by its own columns only, because the other table has no tenant.
    name: 'an index behind every foreign key',
    sql: `select 'table ' || child || ' has no index behind the foreign key ' || conname
        || case child_kind when 'tenant' then ' that begins with the tenant key' else '' end as problem
      from fks where not exists (
        select from pg_index i cross join lateral (select string_to_array(i.indkey::text, ' ')::int2[] as columns) k
        where i.indrelid = child_oid and i.indisvalid
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
          and case when child_kind = 'tenant' and parent_kind = 'tenant' then
              k.columns[1] = child_key and k.columns[1:cardinality(conkey)] @> conkey
            else k.columns[1:cardinality(conkey)] @> conkey
              or (k.columns[1] = child_key and k.columns[1:cardinality(conkey) + 1] @> conkey) end)`,
  },
  {
    name: 'names leave room for a shard suffix',
    sql: `select 'table ' || name || ' has the constraint or unique index ' || long || ', whose name exceeds 50 characters' as problem
      from tables cross join lateral (
        select conname::text as long from pg_constraint where conrelid = tables.oid and contype <> 'n' and conparentid = 0
        union select i.indexrelid::regclass::text from pg_index i where i.indrelid = tables.oid and i.indisunique) names
      where length(long) > 50`,
  },
]

/** Row-level security, and other ways around it. */
const ACCESS: Rule[] = [
  {
    name: 'row-level security is enabled and not forced',
    sql: `select 'table ' || name || case when relrowsecurity then ' forces row-level security, which breaks foreign keys and shard moves'
        else ' has no row-level security' end as problem
      from tables where kind = 'tenant' and (not relrowsecurity or relforcerowsecurity)`,
  },
  {
    name: 'exactly the two policies',
    sql: `select 'table ' || name || ' has no policy ' || wanted || ' as tenant_table() makes it' as problem
      from tables, roles, unnest(array['tenant_isolation', 'system_access']) wanted
      where kind = 'tenant' and not exists (
        select from pg_policy p where p.polrelid = tables.oid and p.polname = wanted and p.polcmd = '*' and p.polpermissive
          and case wanted when 'tenant_isolation' then p.polroles = array[roles.app] and p.polwithcheck is null
              and pg_get_expr(p.polqual, p.polrelid) = format('(%I = (current_setting(''app.tenant_id''::text))::uuid)', tables.tenant_key)
            else p.polroles = array[roles.system] and pg_get_expr(p.polqual, p.polrelid) = 'true'
              and pg_get_expr(p.polwithcheck, p.polrelid) = 'true' end)
      union all
      select 'table ' || name || ' has the policy ' || p.polname || ' beside the two of tenant_table()' as problem
      from tables join pg_policy p on p.polrelid = tables.oid
      where kind = 'tenant' and p.polname not in ('tenant_isolation', 'system_access')`,
  },
  {
    name: 'no sub-select in policies',
    sql: `select 'table ' || c.relname || ' has the policy ' || p.polname || ' with a sub-select' as problem
      from pg_policy p join pg_class c on c.oid = p.polrelid
      where c.relnamespace = 'core'::regnamespace and (p.polqual::text like '%{SUBLINK %' or p.polwithcheck::text like '%{SUBLINK %')`,
  },
  {
    name: 'no triggers',
    sql: `select 'table ' || c.relname || ' has the trigger ' || t.tgname as problem
      from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = 'core'::regnamespace and not t.tgisinternal and t.tgparentid = 0
      union all select 'table ' || c.relname || ' has the rewrite rule ' || r.rulename from pg_rewrite r join pg_class c on c.oid = r.ev_class
      where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p')`,
  },
  {
    name: 'no grants on partitions',
    sql: `select 'partition ' || c.relname || ' has grants of its own; there is no row-level security on it' as problem
      from pg_class c where c.relnamespace = 'core'::regnamespace and c.relispartition
        and exists (select from aclexplode(c.relacl) a where a.grantee <> c.relowner)`,
  },
  {
    name: 'no default privileges on tables',
    sql: `select 'tables made by ' || d.defaclrole::regrole::text || ' are granted by default to ' || case a.grantee when 0 then 'everybody' else a.grantee::regrole::text end as problem
      from pg_default_acl d cross join lateral aclexplode(d.defaclacl) a, roles
      where d.defaclobjtype = 'r' and a.grantee in (0, roles.app)
      group by 1`,
  },
  {
    name: 'append-only tables are never changed',
    sql: `select 'table ' || name || ' is append-only but the role ' || r.rolname || ' may change or remove its rows' as problem
      from tables, roles join pg_roles r on r.oid in (roles.app, roles.system)
      where append_only and (has_any_column_privilege(r.oid, tables.oid, 'update') or has_table_privilege(r.oid, tables.oid, 'delete'))`,
  },
  {
    // TRUNCATE ignores policies; the other two are not needed at run time.
    name: 'the application role reads and writes rows and no more',
    sql: `select 'table ' || c.relname || ' grants ' || right_name || ' to the role ' || roles.app_name as problem
      from pg_class c, roles, unnest(array['truncate', 'references', 'trigger']) right_name
      where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p', 'f') and has_table_privilege(roles.app, c.oid, right_name)
      union all
      select 'table tenantry.' || c.relname || ' lets the role ' || roles.app_name || ' write to it'
      from pg_class c, roles where c.relnamespace = 'tenantry'::regnamespace and c.relkind = 'r'
        and has_table_privilege(roles.app, c.oid, 'insert, update, delete, truncate')`,
  },
  {
    name: "no function lends its owner's rights to the application role",
    sql: `select 'function ' || p.oid::regprocedure::text || ' is SECURITY DEFINER and may be called by the role ' || roles.app_name as problem
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace, roles
      where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
        and has_schema_privilege(roles.app, n.oid, 'usage') and has_function_privilege(roles.app, p.oid, 'execute')`,
  },
  {
    name: 'functions of the schema tenantry are for those who call them',
    sql: `select 'function ' || p.oid::regprocedure::text || ' may be called by everybody' as problem from pg_proc p
      where p.pronamespace = 'tenantry'::regnamespace
        and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)`,
  },
]

export const RULES: readonly Rule[] = [...REGISTER, ...KEYS, ...ACCESS]
