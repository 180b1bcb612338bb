-- Whether a tenant is all there is written when its row is added, and once more when it is: nobody says it of one that was, and nobody but
-- these functions removes the row of one. So what takes records of a half tenant away takes none of any other.
select tenantry.system_may('tenants', 'select', 'insert',
  'update (name, slug, status, owner_id, settings, branding, logo_id, suspended_at, suspended_reason, created_at, updated_at)');

create function tenantry.complete_import(tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('update core.tenants set is_incomplete = false where id = %L and is_incomplete', tenant);
end $$;
revoke all on function tenantry.complete_import(uuid) from public;
grant execute on function tenantry.complete_import(uuid) to :system_role;

create function tenantry.remove_half_tenant(tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('delete from core.tenants where id = %L and is_incomplete', tenant);
end $$;
revoke all on function tenantry.remove_half_tenant(uuid) from public;
grant execute on function tenantry.remove_half_tenant(uuid) to :system_role;

-- As before, and only of a tenant that is not all there: whoever has the system role adds a row to tenant_imports as well.
create or replace function tenantry.remove_half_imported(tbl text, tenant uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  is_whole boolean;
  removed bigint;
begin
  if not exists (select from core.tenant_imports i where i.tenant_id = tenant) then
    raise exception 'no import of this tenant is under way' using errcode = '42501';
  end if;
  execute format('select exists (select from core.tenants where id = %L and not is_incomplete)', tenant) into is_whole;
  if is_whole then
    raise exception 'the tenant is all there' using errcode = '42501';
  end if;
  if not exists (select from tenantry.tables t where t.name = tbl and t.kind = 'tenant' and t.tenant_key = 'tenant_id') then
    raise exception 'no table of tenants is called %', tbl using errcode = '42P01';
  end if;
  execute format('delete from core.%I where tenant_id = %L', tbl, tenant);
  get diagnostics removed = row_count;
  return removed;
end $$;
