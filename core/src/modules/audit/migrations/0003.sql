-- How records leave the audit log when their time is over. No role but the owner of the tables may delete one; these
-- functions do it for the system role, and only what a seal in the tenant's chain has given up: a check of the chain tells
-- what retention took from what somebody removed.

-- What the tenant's chain has given up: records with ids below `before`, and blocks of lesser heights than `kept_from`.
-- The block that says so is asked too, since nobody can change a block. Nothing given up: no row.
create function tenantry.audit_given_up(tenant uuid, out before uuid, out kept_from bigint) returns setof record
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select least(c.removed_to, b.removed_to), least(b.kept_from, b.height)
    from core.audit_chains c
    join core.audit_blocks b on b.tenant_id = c.tenant_id and b.height = c.removal_height and b.kind = 'removal'
    where c.tenant_id = tenant and c.removed_to is not null;
end $$;
revoke all on function tenantry.audit_given_up(uuid) from public;

-- Removes a tenant's records from an id on, to before another: so many at most, the oldest first. `next_id` says where to
-- go on; null: there is none left. The statements are made anew with the ids in them: so they touch, and lock, no other
-- month than theirs.
create function tenantry.remove_audit_logs(tenant uuid, from_id uuid, before_id uuid, most integer, out removed integer, out next_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tenant is null or from_id is null or before_id is null or most is null or most not between 1 and 100000 then
    raise exception 'a tenant, two ids and a number from 1 to 100000 are required' using errcode = '22023';
  end if;
  if not exists (select from tenantry.audit_given_up(tenant) g where g.before >= before_id) then
    raise exception 'no seal of the tenant gives up its records before %', before_id using errcode = '42501';
  end if;
  execute format(
    'select id from core.audit_logs where tenant_id = %L and id >= %L and id < %L order by id offset %s limit 1',
    tenant, from_id, before_id, most) into next_id;
  execute format('delete from core.audit_logs where tenant_id = %L and id >= %L and id < %L',
    tenant, from_id, coalesce(next_id, before_id));
  get diagnostics removed = row_count;
end $$;
revoke all on function tenantry.remove_audit_logs(uuid, uuid, uuid, integer) from public;
grant execute on function tenantry.remove_audit_logs(uuid, uuid, uuid, integer) to :system_role;

-- Removes the blocks of a tenant's chain that hold no other records than those given up: so many at most, the oldest
-- first. Returns how many.
create function tenantry.remove_audit_blocks(tenant uuid, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  removed integer;
begin
  if tenant is null or most is null or most not between 1 and 100000 then
    raise exception 'a tenant and a number from 1 to 100000 are required' using errcode = '22023';
  end if;
  delete from core.audit_blocks b where b.tenant_id = tenant and b.height in (
    select o.height from core.audit_blocks o
    where o.tenant_id = tenant and o.height < (select g.kept_from from tenantry.audit_given_up(tenant) g)
    order by o.height limit most);
  get diagnostics removed = row_count;
  return removed;
end $$;
revoke all on function tenantry.remove_audit_blocks(uuid, integer) from public;
grant execute on function tenantry.remove_audit_blocks(uuid, integer) to :system_role;

-- Whether every tenant that has records in a partition has given them up. Steps from tenant to tenant by the primary key
-- and stops at the first that has not.
create function tenantry.audit_month_is_given_up(part text, ends uuid) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  tenant uuid;
begin
  execute format('select tenant_id from core.%I order by tenant_id limit 1', part) into tenant;
  while tenant is not null loop
    if not exists (select from tenantry.audit_given_up(tenant) g where g.before >= ends) then
      return false;
    end if;
    execute format('select tenant_id from core.%I where tenant_id > %L order by tenant_id limit 1', part, tenant) into tenant;
  end loop;
  return true;
end $$;
revoke all on function tenantry.audit_month_is_given_up(text, uuid) from public;

-- Drops the partition of a month that nobody keeps a record of, which costs no more for many records than for few. False:
-- it is not over yet, there is no such partition, or some tenant keeps a record of it. Whoever reads or writes the audit log stands in the way for as long
-- as their transaction lasts, and others would queue up behind this one: so it waits a tenth of a second and then
-- fails with 55P03, to be called again some other time. The partition is closed to writers first, while tenants are asked
-- at leisure; only then everything is locked, for as long as it takes to change the catalogue.
create function tenantry.drop_audit_month(month date) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  starts date := date_trunc('month', month::timestamp)::date;
  over timestamptz := (starts + interval '1 month') at time zone 'UTC';
  part text := 'audit_logs_' || to_char(starts, 'YYYYMM');
begin
  -- A day more, because clocks differ.
  if starts is null or over > now() - interval '1 day' then
    return false;
  end if;
  if not exists (select from pg_inherits i where i.inhparent = 'core.audit_logs'::regclass
      and i.inhrelid = to_regclass(format('core.%I', part))) then
    return false;
  end if;
  if not tenantry.audit_month_is_given_up(part, tenantry.uuid_at(over)) then
    return false;
  end if;
  execute format('lock table core.%I in share mode', part);
  if not tenantry.audit_month_is_given_up(part, tenantry.uuid_at(over)) then
    return false;
  end if;
  lock table only core.audit_logs in access exclusive mode;
  execute format('alter table core.audit_logs detach partition core.%I', part);
  execute format('drop table core.%I', part);
  return true;
end $$;
revoke all on function tenantry.drop_audit_month(date) from public;
grant execute on function tenantry.drop_audit_month(date) to :system_role;
