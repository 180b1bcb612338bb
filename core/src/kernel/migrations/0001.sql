-- Functions stand in the schema tenantry, tables in core. :app_role and :system_role are filled in by the migrator.

-- What each table is: the catalogue test compares this with what PostgreSQL says of it.
create table tenantry.tables (
  name text primary key,
  kind text not null check (kind in ('tenant', 'global')),
  tenant_key text,
  reason text,
  append_only boolean not null default false
);
grant select on tenantry.tables to :app_role, :system_role;

-- Scopes the transaction to one tenant: the first statement after BEGIN, once, outside of any savepoint.
-- Assigned rather than performed: PL/pgSQL evaluates that without planning a query, which halves the cost of the call.
create function tenantry.set_tenant(t uuid) returns void language plpgsql as $$
declare
  ignored text;
begin
  if t is null then
    raise exception 'a tenant is required' using errcode = '22004';
  end if;
  if coalesce(current_setting('app.tenant_id', true), '') not in ('', t::text) then
    raise exception 'tenant already set in this transaction' using errcode = '25001';
  end if;
  ignored := set_config('app.tenant_id', t::text, true);
end $$;
revoke all on function tenantry.set_tenant(uuid) from public;
grant execute on function tenantry.set_tenant(uuid) to :app_role, :system_role;

-- The same for a statement that is a transaction by itself: it may read, and nothing else.
create function tenantry.set_reader(t uuid) returns void language plpgsql as $$
declare
  ignored text;
begin
  if t is null then
    raise exception 'a tenant is required' using errcode = '22004';
  end if;
  if coalesce(current_setting('app.tenant_id', true), '') not in ('', t::text) then
    raise exception 'tenant already set in this transaction' using errcode = '25001';
  end if;
  ignored := set_config('app.tenant_id', t::text, true);
  ignored := set_config('transaction_read_only', 'on', true);
end $$;
revoke all on function tenantry.set_reader(uuid) from public;
grant execute on function tenantry.set_reader(uuid) to :app_role, :system_role;

-- Makes a table tenant-owned: row-level security, the tenant's policy, the system role's policy, grants.
create function tenantry.tenant_table(tbl text, key text default 'tenant_id', append_only boolean default false)
returns void language plpgsql as $$
begin
  insert into tenantry.tables (name, kind, tenant_key, append_only) values (tbl, 'tenant', key, tenant_table.append_only);
  execute format('alter table core.%I enable row level security', tbl);
  execute format(
    'create policy tenant_isolation on core.%I for all to :app_role using (%I = current_setting(''app.tenant_id'')::uuid)',
    tbl, key);
  execute format('create policy system_access on core.%I for all to :system_role using (true) with check (true)', tbl);
  execute format('grant select, insert on core.%I to :app_role, :system_role', tbl);
  if not append_only then
    execute format('grant update, delete on core.%I to :app_role, :system_role', tbl);
  end if;
end $$;
revoke all on function tenantry.tenant_table(text, text, boolean) from public;

-- A table that belongs to no tenant opts out in writing.
create function tenantry.global_table(tbl text, reason text, append_only boolean default false)
returns void language plpgsql as $$
begin
  insert into tenantry.tables (name, kind, reason, append_only) values (tbl, 'global', reason, global_table.append_only);
  execute format('grant select, insert on core.%I to :app_role, :system_role', tbl);
  if not append_only then
    execute format('grant update, delete on core.%I to :app_role, :system_role', tbl);
  end if;
end $$;
revoke all on function tenantry.global_table(text, text, boolean) from public;

-- Tables that grow with time are partitioned by month on their UUIDv7 id, which carries its time.
create function tenantry.uuid_at(at timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

create function tenantry.ensure_partitions(tbl text, from_month date, months integer) returns integer
language plpgsql security definer set search_path = core, pg_catalog as $$
declare
  made integer := 0;
  month date := date_trunc('month', from_month)::date;
  part text;
  lower_id uuid;
  upper_id uuid;
begin
  if not exists (select from tenantry.tables t where t.name = tbl) then
    raise exception 'unknown table %', tbl;
  end if;
  for i in 1..months loop
    part := tbl || '_' || to_char(month, 'YYYYMM');
    if to_regclass(format('core.%I', part)) is null then
      lower_id := tenantry.uuid_at(month::timestamp at time zone 'UTC');
      upper_id := tenantry.uuid_at((month + interval '1 month')::timestamp at time zone 'UTC');
      execute format('create table core.%I (like core.%I including all)', part, tbl);
      -- What came in before its month was made (a clock that ran ahead) lies in the table for everything else.
      execute format('with early as (delete from core.%I where id >= %L and id < %L returning *) insert into core.%I select * from early',
        tbl || '_other', lower_id, upper_id, part);
      execute format('alter table core.%I attach partition core.%I for values from (%L) to (%L)', tbl, part, lower_id, upper_id);
      made := made + 1;
    end if;
    month := (month + interval '1 month')::date;
  end loop;
  return made;
end $$;
revoke all on function tenantry.ensure_partitions(text, date, integer) from public;
grant execute on function tenantry.ensure_partitions(text, date, integer) to :system_role;

-- Every event of a tenant, once; nobody but the owner of the tables can change or remove a row.
create table audit_logs (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  action text not null,
  actor_type text not null check (actor_type in ('user', 'api_key', 'system', 'admin')),
  actor_id uuid,
  actor_label text not null,
  impersonator_id uuid,
  resource_type text not null,
  resource_id text,
  resource_label text,
  store_id uuid,
  old_values jsonb,
  new_values jsonb,
  ip_address text,
  user_agent text,
  request_id text,
  primary key (tenant_id, id)
) partition by range (id);
-- Catches what lies outside of the months made ahead, so that a record is never refused.
create table audit_logs_other partition of audit_logs default;
select tenantry.tenant_table('audit_logs', append_only => true);
select tenantry.ensure_partitions('audit_logs', current_date, 13);

-- Events that belong to no tenant: a failed sign-in, the first super admin.
create table global_audit_logs (
  id uuid primary key,
  created_at timestamptz not null,
  action text not null,
  actor_type text not null check (actor_type in ('user', 'api_key', 'system', 'admin')),
  actor_id uuid,
  actor_label text not null,
  impersonator_id uuid,
  resource_type text not null,
  resource_id text,
  resource_label text,
  store_id uuid,
  old_values jsonb,
  new_values jsonb,
  ip_address text,
  user_agent text,
  request_id text
);
select tenantry.global_table('global_audit_logs', 'events outside of any tenant, such as a failed sign-in', true);

-- Work that a tenant's transactions left behind: jobs and the followers of events. The row is the fact; waking a worker
-- is only a hint, and a sweep finds what a crash left without one.
create table tenant_jobs (
  tenant_id uuid not null,
  id uuid not null,
  task text not null,
  payload jsonb not null,
  origin jsonb not null,
  dedupe_key text,
  status text not null default 'waiting' check (status in ('waiting', 'failed')),
  attempts integer not null default 0,
  max_attempts integer not null,
  run_at timestamptz not null,
  locked_until timestamptz,
  locked_by uuid,
  last_error text,
  created_at timestamptz not null,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('tenant_jobs');
create index tenant_jobs_due on tenant_jobs (tenant_id, run_at, id) where status = 'waiting';
create unique index tenant_jobs_dedupe on tenant_jobs (tenant_id, dedupe_key) where dedupe_key is not null;
create index tenant_jobs_sweep on tenant_jobs (run_at) where status = 'waiting';

create table system_jobs (
  id uuid primary key,
  task text not null,
  payload jsonb not null,
  origin jsonb not null,
  dedupe_key text unique,
  status text not null default 'waiting' check (status in ('waiting', 'failed')),
  attempts integer not null default 0,
  max_attempts integer not null,
  run_at timestamptz not null,
  locked_until timestamptz,
  locked_by uuid,
  last_error text,
  created_at timestamptz not null
);
select tenantry.global_table('system_jobs', 'work that belongs to no tenant, such as a mail that resets a password');
create index system_jobs_due on system_jobs (run_at, id) where status = 'waiting';

-- Answers to POST requests that carried an Idempotency-Key, sealed because they may hold tokens.
create table idempotency_keys (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  request_hash text not null,
  claim uuid not null,
  claimed_until timestamptz,
  status integer,
  answer text,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('idempotency_keys');
create index idempotency_keys_age on idempotency_keys (created_at);

create table global_idempotency_keys (
  id uuid primary key,
  created_at timestamptz not null,
  request_hash text not null,
  claim uuid not null,
  claimed_until timestamptz,
  status integer,
  answer text
);
select tenantry.global_table('global_idempotency_keys', 'requests of a person outside of any tenant');
create index global_idempotency_keys_age on global_idempotency_keys (created_at);
