-- Imports of tenants that have begun and are not complete. The row goes with the last step.
create table tenant_imports (
  tenant_id uuid not null,
  -- SHA-256 of the manifest: nothing goes on with another export.
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  -- What was asked for, so that it goes on as it began.
  slug text not null,
  owner_email text check (length(owner_email) <= 254),
  plan text,
  -- What ids are made with of people who get no account here.
  salt text not null check (length(salt) between 20 and 100),
  -- The step that is being done, and how many lines of it are.
  step text not null check (length(step) <= 100),
  lines_done bigint not null default 0 check (lines_done >= 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint tenant_imports_pkey primary key (tenant_id)
);
select tenantry.global_table('tenant_imports', 'an import begins before its tenant is there', app_may => '{}');

-- Who of an export is who here, while it is read.
create table tenant_import_people (
  tenant_id uuid not null,
  -- Their id in the export.
  exported_id uuid not null,
  -- Their id here.
  user_id uuid not null,
  -- 'linked' to an account that was there; 'new'; 'none': an account that nobody can use.
  kind text not null check (kind in ('linked', 'new', 'none')),
  constraint tenant_import_people_pkey primary key (tenant_id, exported_id)
);
create index tenant_import_people_user_id_idx on tenant_import_people (user_id);
select tenantry.global_table('tenant_import_people', 'people are global, and added before their tenant is there', app_may => '{}');
alter table tenant_import_people add constraint tenant_import_people_user_fkey
  foreign key (user_id) references users (id) on delete cascade;

-- Takes the rows of a table that are only ever added to away again, of a tenant whose import is not complete, and of no other one.
create function tenantry.remove_half_imported(tbl text, tenant uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  removed bigint;
begin
  if not exists (select from core.tenant_imports i where i.tenant_id = tenant) then
    raise exception 'no import of this tenant is under way' using errcode = '42501';
  end if;
  if not exists (select from tenantry.tables t where t.name = tbl and t.kind = 'tenant' and t.tenant_key = 'tenant_id') then
    raise exception 'no table of tenants is called %', tbl using errcode = '42P01';
  end if;
  execute format('delete from core.%I where tenant_id = %L', tbl, tenant);
  get diagnostics removed = row_count;
  return removed;
end $$;
revoke all on function tenantry.remove_half_imported(text, uuid) from public;
grant execute on function tenantry.remove_half_imported(text, uuid) to :system_role;
