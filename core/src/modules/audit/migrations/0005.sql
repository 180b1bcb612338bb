-- The chain of seals, and the dictionary made with it, are written by the system role: what a request can be talked into
-- reaches neither. Where a chain ends is never forgotten, by no role.
select tenantry.app_may('audit_chains', 'select');
select tenantry.app_may('audit_blocks', 'select');
select tenantry.app_may('audit_names', 'select');
select tenantry.app_may('audit_terms', 'select');
select tenantry.system_may('audit_chains', 'select', 'insert', 'update');

-- Whoever gets hold of the system role cannot make the audit log forget what has just happened either: whatever a chain
-- says to have given up, what is younger than a week stays. AUDIT_RETENTION_MIN_DAYS cannot be less.
create function tenantry.audit_kept_at_least() returns uuid language sql stable set search_path = pg_catalog, pg_temp as $$
  select tenantry.uuid_at(now() - interval '7 days')
$$;
revoke all on function tenantry.audit_kept_at_least() from public;

create or replace function tenantry.audit_given_up(tenant uuid, out before uuid, out kept_from bigint) returns setof record
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select least(c.removed_to, b.removed_to, tenantry.audit_kept_at_least()), least(b.kept_from, b.height)
    from core.audit_chains c
    join core.audit_blocks b on b.tenant_id = c.tenant_id and b.height = c.removal_height and b.kind = 'removal'
    where c.tenant_id = tenant and c.removed_to is not null;
end $$;

create or replace function tenantry.remove_audit_blocks(tenant uuid, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  removed integer;
begin
  if tenant is null or most is null or most not between 1 and 100000 then
    raise exception 'a tenant and a number from 1 to 100000 are required' using errcode = '22023';
  end if;
  delete from core.audit_blocks b where b.tenant_id = tenant and b.height in (
    select o.height from core.audit_blocks o cross join tenantry.audit_given_up(tenant) g
    where o.tenant_id = tenant and o.height < g.kept_from and coalesce(o.last_id, o.removed_to) < g.before
    order by o.height limit most);
  get diagnostics removed = row_count;
  return removed;
end $$;

-- A check of a tenant's chain is a lot of work: one runs at a time, and what it found is kept for some minutes.
create table audit_verifications (
  tenant_id uuid not null,
  -- The tenant's own: there is one row.
  id uuid not null,
  -- Who checks, and until when it is taken for alive.
  locked_by uuid,
  locked_until timestamptz,
  -- What was found last, of which period and when; sealed, so that nobody makes up a better one.
  verdict text check (length(verdict) <= 8192),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint audit_verifications_lock_check check ((locked_by is null) = (locked_until is null))
);
select tenantry.tenant_table('audit_verifications', app_may => '{select,insert,update}');
alter table audit_verifications add constraint audit_verifications_tenant_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
