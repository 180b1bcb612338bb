-- What each role may do with a table: said in one place, and no more than it needs.

-- Gives a role exactly these rights to a table and takes every other. A right is a word (`select`, `insert`, `update`,
-- `delete`); for some columns alone their names follow: `update (name, updated_at)`.
create function tenantry.set_rights(role_name text, tbl text, rights text[]) returns void language plpgsql as $$
declare
  given text;
begin
  execute format('revoke all on core.%I from ', tbl) || role_name;
  foreach given in array rights loop
    if given !~ '^(select|insert|update|delete)( \([a-z0-9_]+(, [a-z0-9_]+)*\))?$' then
      raise exception 'this is no right to a table: %', given using errcode = '22023';
    end if;
    if given ~ '^(update|delete)' and exists (select from tenantry.tables t where t.name = tbl and t.append_only) then
      raise exception 'the table % is append-only', tbl using errcode = '22023';
    end if;
    execute format('grant %s on core.%I to ', given, tbl) || role_name;
  end loop;
end $$;
revoke all on function tenantry.set_rights(text, text, text[]) from public;

-- What requests and jobs of tenants may do with a table, and nothing else.
create function tenantry.app_may(tbl text, variadic rights text[] default '{}') returns void language plpgsql as $$
begin
  perform tenantry.set_rights($role$:app_role$role$, tbl, rights);
end $$;
revoke all on function tenantry.app_may(text, text[]) from public;

-- The same for what crosses tenants: the operator's routes, sweeps, and what no request may write.
create function tenantry.system_may(tbl text, variadic rights text[] default '{}') returns void language plpgsql as $$
begin
  perform tenantry.set_rights($role$:system_role$role$, tbl, rights);
end $$;
revoke all on function tenantry.system_may(text, text[]) from public;

-- As before, with the rights of the application role as one more parameter; default: all that the kind of table allows.
drop function tenantry.tenant_table(text, text, boolean);
create function tenantry.tenant_table(tbl text, key text default 'tenant_id', append_only boolean default false, app_may text[] default null)
returns void language plpgsql as $$
declare
  usual text[] := case when append_only then '{select,insert}' else '{select,insert,update,delete}' end::text[];
begin
  insert into tenantry.tables (name, kind, tenant_key, append_only) values (tbl, 'tenant', key, tenant_table.append_only);
  execute format('alter table core.%I enable row level security', tbl);
  execute format('create policy tenant_isolation on core.%I for all to ', tbl) || $role$:app_role$role$
    || format(' using (%I = current_setting(''app.tenant_id'')::uuid)', key);
  execute format('create policy system_access on core.%I for all to ', tbl) || $role$:system_role$role$
    || ' using (true) with check (true)';
  perform tenantry.app_may(tbl, variadic coalesce(tenant_table.app_may, usual));
  perform tenantry.system_may(tbl, variadic usual);
end $$;
revoke all on function tenantry.tenant_table(text, text, boolean, text[]) from public;

drop function tenantry.global_table(text, text, boolean);
create function tenantry.global_table(tbl text, reason text, append_only boolean default false, app_may text[] default null)
returns void language plpgsql as $$
declare
  usual text[] := case when append_only then '{select,insert}' else '{select,insert,update,delete}' end::text[];
begin
  insert into tenantry.tables (name, kind, reason, append_only) values (tbl, 'global', reason, global_table.append_only);
  perform tenantry.app_may(tbl, variadic coalesce(global_table.app_may, usual));
  perform tenantry.system_may(tbl, variadic usual);
end $$;
revoke all on function tenantry.global_table(text, text, boolean, text[]) from public;

-- Nobody reads what happened outside of any tenant on behalf of one.
select tenantry.app_may('global_audit_logs', 'insert');
-- What a job is to do stays as it was written.
select tenantry.app_may('system_jobs', 'select', 'insert', 'delete',
  'update (dedupe_key, status, attempts, run_at, locked_until, locked_by, last_error)');

-- What tables are, and which migrations ran, is asked by start, doctor and probes, as the system role.
revoke all on tenantry.tables, tenantry.migrations from :app_role;

-- Functions are for those who call them: the tenant is set by the application role alone.
revoke all on function tenantry.set_tenant(uuid), tenantry.set_reader(uuid) from :system_role;
revoke all on function tenantry.uuid_at(timestamptz) from public;
grant execute on function tenantry.uuid_at(timestamptz) to :system_role;
