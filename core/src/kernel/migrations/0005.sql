-- What goes out to others, by webhooks and to whoever follows: each event once, under a place that ascends in the order of
-- commits, without a gap.

-- Of some tables whole months go, once all that is in them is older than so many days.
alter table tenantry.tables add column kept_days integer check (kept_days > 0);

create function tenantry.kept_for(tbl text, days integer) returns void language plpgsql as $$
begin
  update tenantry.tables t set kept_days = days where t.name = tbl;
  if not found then
    raise exception 'unknown table %', tbl;
  end if;
end $$;
revoke all on function tenantry.kept_for(text, integer) from public;

-- Drops the oldest month of such a table if it is old enough; false: it is not, or there is none. Everything is locked only while
-- the catalogue changes. Fails with 55P03 when a lock cannot be had in a tenth of a second.
create function tenantry.drop_oldest_month(tbl text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  days integer;
  part text;
  over timestamptz;
begin
  select t.kept_days into days from tenantry.tables t where t.name = tbl;
  if days is null then
    raise exception 'the months of the table % are not to be dropped', tbl using errcode = '22023';
  end if;
  select c.relname into part from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(format('core.%I', tbl)) and c.relname ~ ('^' || tbl || '_[0-9]{6}$')
    order by c.relname limit 1;
  if part is null then
    return false;
  end if;
  over := (to_date(right(part, 6), 'YYYYMM') + interval '1 month')::timestamp at time zone 'UTC';
  if over > now() - make_interval(days => days) then
    return false;
  end if;
  execute format('lock table only core.%I in access exclusive mode', tbl);
  execute format('alter table core.%I detach partition core.%I', tbl, part);
  execute format('drop table core.%I', part);
  return true;
end $$;
revoke all on function tenantry.drop_oldest_month(text) from public;
grant execute on function tenantry.drop_oldest_month(text) to :system_role;

-- How many events of a tenant there have been. Whoever publishes holds it from the last statement before the commit until that is
-- done, so that places are in the order of commits.
create table event_heads (
  tenant_id uuid primary key,
  position bigint not null check (position > 0)
) with (fillfactor = 70);
select tenantry.tenant_table('event_heads', app_may => '{select,insert,"update (position)"}');

create table events (
  tenant_id uuid not null,
  -- That of the record in audit_logs.
  id uuid not null,
  position bigint not null,
  type text not null check (length(type) between 1 and 100),
  created_at timestamptz not null,
  store_id uuid,
  actor_type text not null check (actor_type in ('user', 'api_key', 'system', 'admin')),
  actor_id uuid,
  actor_label text not null,
  impersonator_id uuid,
  -- As it is sent: text that nothing reorders.
  data json not null,
  primary key (tenant_id, id)
) partition by range (id);
create index events_position on events (tenant_id, position);
-- Catches what lies outside of the months made ahead, so that nothing is refused.
create table events_other partition of events default;
select tenantry.tenant_table('events', app_may => '{select,insert}');
-- One that is sent again on its thirtieth day is tried for three more.
select tenantry.kept_for('events', 34);
select tenantry.ensure_partitions('events', current_date, 3);
