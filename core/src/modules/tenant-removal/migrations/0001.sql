-- How a tenant comes to its end: asked for, undone within thirty days or else carried out, and certified.

-- Tenants that are to be removed, from when that was asked for until it is done or undone.
create table tenant_removals (
  tenant_id uuid not null,
  -- By the clock of the database: no role may write it, so nobody makes it earlier than it was.
  marked_at timestamptz not null default now(),
  requested_at timestamptz not null,
  requested_by_type text not null check (requested_by_type in ('user', 'api_key', 'system', 'admin')),
  requested_by_id uuid,
  requested_by_label text not null,
  reason text check (length(reason) <= 1000),
  -- From when on nothing can be undone any more.
  purge_at timestamptz not null,
  -- For how many days before that the owners were last reminded.
  reminded_days integer,
  -- What was mailed to the owners about it, which names the tenant.
  mail_ids uuid[] not null default '{}',
  -- Null: it can be undone.
  begun_at timestamptz,
  -- The process that is at it, and until when it is taken for alive.
  claimed_by uuid,
  claimed_until timestamptz,
  -- What is done of it, and how much was removed.
  progress jsonb not null default '{}' check (jsonb_typeof(progress) = 'object'),
  -- Why it stands still, and when it is tried again.
  problem text check (length(problem) <= 2000),
  retry_at timestamptz,
  constraint tenant_removals_pkey primary key (tenant_id),
  constraint tenant_removals_claim_check check ((claimed_by is null) = (claimed_until is null)),
  constraint tenant_removals_begun_check check (begun_at is not null or (claimed_by is null and progress = '{}'))
);
create index tenant_removals_purge_at_idx on tenant_removals (purge_at);
select tenantry.global_table('tenant_removals', 'asked of all tenants by the clock, and there until the last row of the tenant is gone', app_may => '{}');
select tenantry.system_may('tenant_removals', 'select', 'delete',
  'insert (tenant_id, requested_at, requested_by_type, requested_by_id, requested_by_label, reason, purge_at)',
  'update (reminded_days, mail_ids, begun_at, claimed_by, claimed_until, progress, problem, retry_at)');

-- The people of a tenant that is being removed: their memberships go before it is known whose account goes too.
create table tenant_removal_people (
  tenant_id uuid not null,
  user_id uuid not null,
  constraint tenant_removal_people_pkey primary key (tenant_id, user_id)
);
select tenantry.global_table('tenant_removal_people', 'there after the rows of the tenant are gone', app_may => '{}');

-- What was removed, for good and signed: nobody changes or removes a row.
create table tenant_removal_certificates (
  tenant_id uuid not null,
  purged_at timestamptz not null,
  -- SHA-256 of the slug: whoever knows it finds the certificate, and it names nobody.
  slug_hash bytea not null check (length(slug_hash) = 32),
  -- Canonical JSON, to the byte what was signed.
  content text not null,
  -- SHA-256 of the content.
  hash bytea not null check (length(hash) = 32),
  key_id text not null,
  public_key text not null,
  signature bytea not null,
  constraint tenant_removal_certificates_pkey primary key (tenant_id)
);
create index tenant_removal_certificates_slug_idx on tenant_removal_certificates (slug_hash);
select tenantry.global_table('tenant_removal_certificates', 'what is left of tenants that are gone', append_only => true, app_may => '{}');

-- The door that removal goes through. No role may take a row out of an append-only table; these functions take them out of any
-- table of a tenant, and of no other than one that was marked to be removed thirty days ago, by the clock of the database, whose
-- removal has begun and that is still deleted: its row is locked until the transaction ends, so that nobody brings it back meanwhile.

create function tenantry.assert_removing(tenant uuid) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  is_deleted boolean;
begin
  -- With the id in the statement: a cluster locks rows of one tenant alone.
  execute format('select status = ''deleted'' from core.tenants where id = %L for no key update', tenant) into is_deleted;
  if is_deleted is not true then
    raise exception 'the tenant % is not deleted', tenant using errcode = '42501';
  end if;
  if not exists (select from core.tenant_removals r
      where r.tenant_id = tenant and r.begun_at is not null and r.marked_at <= now() - interval '30 days') then
    raise exception 'the tenant % is not being removed', tenant using errcode = '42501';
  end if;
end $$;
revoke all on function tenantry.assert_removing(uuid) from public;
grant execute on function tenantry.assert_removing(uuid) to :system_role;

-- Of a table: its tenant key; the rest of its primary key, in its order, as SQL; the same as one text array; and the types of that.
create function tenantry.removal_key(tbl text, out tenant_key text, out columns text[], out types text[])
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  select t.tenant_key into tenant_key from tenantry.tables t where t.name = tbl and t.kind = 'tenant';
  if tenant_key is null or tbl = 'tenants' then
    raise exception 'the table % has no rows that could be removed by themselves', tbl using errcode = '22023';
  end if;
  select array_agg(a.attname::text order by k.place), array_agg(format_type(a.atttypid, a.atttypmod) order by k.place)
    into columns, types
    from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = to_regclass(format('core.%I', tbl)) and i.indisprimary and a.attname <> tenant_key;
end $$;
revoke all on function tenantry.removal_key(text) from public;

-- Removes rows of a tenant from a table, about so many at most, in the order of the primary key. `is_last`: none was left.
create function tenantry.remove_rows(tenant uuid, tbl text, most integer, out removed integer, out is_last boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  key record;
  names text;
  begins text[];
  ends text[];
  bounds text := '';
begin
  if tenant is null or tbl is null or most is null or most not between 1 and 1000 then
    raise exception 'a tenant, a table and a number from 1 to 1000 are required' using errcode = '22023';
  end if;
  perform tenantry.assert_removing(tenant);
  key := tenantry.removal_key(tbl);
  if key.columns is not null then
    select string_agg(format('%I', c), ', ') into names from unnest(key.columns) c;
    execute format('select array[%s] from core.%I where %I = %L order by %s limit 1',
      (select string_agg(format('%I::text', c), ', ') from unnest(key.columns) c), tbl, key.tenant_key, tenant, names) into begins;
    execute format('select array[%s] from core.%I where %I = %L order by %s offset %s limit 1',
      (select string_agg(format('%I::text', c), ', ') from unnest(key.columns) c), tbl, key.tenant_key, tenant, names, most) into ends;
    -- The values in the statement: of a table of months it touches those alone that it takes from.
    if begins is not null then
      bounds := format(' and (%s) >= (%s)', names,
        (select string_agg(format('%L::%s', v, t), ', ') from unnest(begins, key.types) b (v, t)));
    end if;
    if ends is not null then
      bounds := bounds || format(' and (%s) < (%s)', names,
        (select string_agg(format('%L::%s', v, t), ', ') from unnest(ends, key.types) b (v, t)));
    end if;
  end if;
  execute format('delete from core.%I where %I = %L%s', tbl, key.tenant_key, tenant, bounds);
  get diagnostics removed = row_count;
  is_last := ends is null;
end $$;
revoke all on function tenantry.remove_rows(uuid, text, integer) from public;
grant execute on function tenantry.remove_rows(uuid, text, integer) to :system_role;

-- Foreign keys from one of these tables to a table: `joined` compares a row `c` of the child with a row `t` of the table, `nullable` are
-- columns of the child that may be null and so end the reference.
create function tenantry.removal_references(tbl text, among text[], out child text, out joined text, out nullable text[]) returns setof record
language sql stable set search_path = pg_catalog, pg_temp as $$
  select c.relname::text,
    (select string_agg(format('c.%I = t.%I', a.attname, r.attname), ' and ' order by p.place)
      from unnest(f.conkey, f.confkey) with ordinality p (own, other, place)
      join pg_attribute a on a.attrelid = f.conrelid and a.attnum = p.own
      join pg_attribute r on r.attrelid = f.confrelid and r.attnum = p.other),
    (select array_agg(a.attname::text) from pg_attribute a where a.attrelid = f.conrelid and a.attnum = any (f.conkey) and not a.attnotnull)
  from pg_constraint f join pg_class c on c.oid = f.conrelid and c.relnamespace = 'core'::regnamespace
  where f.contype = 'f' and f.conparentid = 0 and f.confrelid = to_regclass(format('core.%I', tbl)) and c.relname = any (among)
$$;
revoke all on function tenantry.removal_references(text, text[]) from public;

-- The same for one of several tables whose rows refer to each other, or to themselves: only rows that none of theirs refers to (but
-- for itself). What is removed may leave others so, to be removed by the next call.
create function tenantry.remove_leaves(tenant uuid, tbl text, among text[], most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  key record;
  own text;
  conditions text;
  removed integer;
begin
  if tenant is null or tbl is null or among is null or most is null or most not between 1 and 1000 then
    raise exception 'a tenant, a table, those around it and a number from 1 to 1000 are required' using errcode = '22023';
  end if;
  perform tenantry.assert_removing(tenant);
  key := tenantry.removal_key(tbl);
  own := (select string_agg(format('%I', c), ', ') from unnest(array[key.tenant_key] || key.columns) c);
  select coalesce(string_agg(format(' and not exists (select from core.%I c where %s%s)', r.child, r.joined,
      case when r.child = tbl then format(' and (%s) <> (%s)',
        (select string_agg(format('c.%I', c), ', ') from unnest(array[key.tenant_key] || key.columns) c),
        (select string_agg(format('t.%I', c), ', ') from unnest(array[key.tenant_key] || key.columns) c)) else '' end), ''), '')
    into conditions from tenantry.removal_references(tbl, among) r;
  execute format('delete from core.%1$I where %2$I = %3$L and (%4$s) in (select %4$s from core.%1$I t where t.%2$I = %3$L%5$s limit %6$s)',
    tbl, key.tenant_key, tenant, own, conditions, most);
  get diagnostics removed = row_count;
  return removed;
end $$;
revoke all on function tenantry.remove_leaves(uuid, text, text[], integer) from public;
grant execute on function tenantry.remove_leaves(uuid, text, text[], integer) to :system_role;

-- Has rows of a table refer to no rows of these tables any more, as far as their columns may be null: so many at most. Returns how many did.
create function tenantry.loosen_rows(tenant uuid, tbl text, among text[], most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  key record;
  own text;
  loose text[];
  loosened integer;
begin
  if tenant is null or tbl is null or among is null or most is null or most not between 1 and 1000 then
    raise exception 'a tenant, a table, those around it and a number from 1 to 1000 are required' using errcode = '22023';
  end if;
  perform tenantry.assert_removing(tenant);
  key := tenantry.removal_key(tbl);
  select array_agg(distinct n) into loose
    from unnest(among) parent cross join lateral tenantry.removal_references(parent, array[tbl]) r cross join lateral unnest(r.nullable) n;
  if loose is null then
    return 0;
  end if;
  own := (select string_agg(format('%I', c), ', ') from unnest(array[key.tenant_key] || key.columns) c);
  execute format('update core.%1$I set %2$s where %3$I = %4$L and (%5$s) in (select %5$s from core.%1$I where %3$I = %4$L and (%6$s) limit %7$s)',
    tbl, (select string_agg(format('%I = null', n), ', ') from unnest(loose) n), key.tenant_key, tenant, own,
    (select string_agg(format('%I is not null', n), ' or ') from unnest(loose) n), most);
  get diagnostics loosened = row_count;
  return loosened;
end $$;
revoke all on function tenantry.loosen_rows(uuid, text, text[], integer) from public;
grant execute on function tenantry.loosen_rows(uuid, text, text[], integer) to :system_role;

-- Removes the tenant itself, once no table has a row of it. Returns the first one that has; null: it is gone.
create function tenantry.remove_tenant(tenant uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  each record;
  is_there boolean;
begin
  perform tenantry.assert_removing(tenant);
  for each in select t.name, t.tenant_key from tenantry.tables t
      where t.kind = 'tenant' and t.name <> 'tenants' and to_regclass(format('core.%I', t.name)) is not null order by t.name loop
    execute format('select exists (select from core.%I where %I = %L)', each.name, each.tenant_key, tenant) into is_there;
    if is_there then
      return each.name;
    end if;
  end loop;
  execute format('delete from core.tenants where id = %L', tenant);
  return null;
end $$;
revoke all on function tenantry.remove_tenant(uuid) from public;
grant execute on function tenantry.remove_tenant(uuid) to :system_role;
