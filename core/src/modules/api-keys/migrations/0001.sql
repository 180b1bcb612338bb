create table api_keys (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null check (length(name) between 1 and 100),
  key_prefix text not null check (length(key_prefix) between 1 and 8),
  scopes text[] not null check (cardinality(scopes) > 0),
  -- Null: the whole tenant. Without foreign keys: a store that is gone is one in which the key holds nothing.
  store_ids uuid[] check (cardinality(store_ids) > 0),
  -- Null: from anywhere.
  allowed_cidrs text[] check (cardinality(allowed_cidrs) > 0),
  rate_limit_per_minute integer check (rate_limit_per_minute > 0),
  expires_at timestamptz,
  -- Of a key that was replaced: until when it goes on beside its successor.
  overlap_ends_at timestamptz,
  revoked_at timestamptz,
  -- Until when it counts towards the plan; null: for good.
  counted_until timestamptz,
  created_by uuid not null,
  replaces_id uuid,
  -- Once its maker has left: what it held at that moment.
  frozen_rights jsonb check (jsonb_typeof(frozen_rights) = 'array'),
  -- For how many days before the end it was last reminded of.
  reminded_days integer,
  last_used_at timestamptz,
  last_used_ip text check (length(last_used_ip) <= 64),
  primary key (tenant_id, id)
);
create index api_keys_created_by_idx on api_keys (tenant_id, created_by);
create unique index api_keys_replaces_key on api_keys (tenant_id, replaces_id) where replaces_id is not null;
create index api_keys_expiry_idx on api_keys (tenant_id, expires_at) where revoked_at is null and expires_at is not null;
create index api_keys_overlap_idx on api_keys (overlap_ends_at) where overlap_ends_at is not null;
-- Keys stay, and so does who made them.
select tenantry.tenant_table('api_keys', app_may => '{select,insert,"update (name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at, overlap_ends_at, revoked_at, counted_until, frozen_rights, reminded_days, updated_at)"}');
alter table api_keys add constraint api_keys_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
alter table api_keys add constraint api_keys_created_by_fkey foreign key (created_by) references users (id);
alter table api_keys add constraint api_keys_replaces_fkey foreign key (tenant_id, replaces_id) references api_keys (tenant_id, id);

-- Whose a key is: looked up before the tenant is known. What it says of a hash never changes.
create table api_key_hashes (
  key_hash bytea not null check (length(key_hash) = 32),
  tenant_id uuid not null,
  api_key_id uuid not null,
  created_by uuid not null,
  is_imported boolean not null,
  constraint api_key_hashes_pkey primary key (key_hash)
);
create unique index api_key_hashes_key on api_key_hashes (tenant_id, api_key_id);
select tenantry.global_table('api_key_hashes', 'a key is found before its tenant is known, and is unique among all', app_may => '{select,insert}');

create table api_key_usage (
  tenant_id uuid not null,
  api_key_id uuid not null,
  date date not null,
  requests integer not null,
  errors integer not null,
  limited integer not null,
  primary key (tenant_id, api_key_id, date)
);
create index api_key_usage_date_idx on api_key_usage (date);
-- Counted by the system, read by requests.
select tenantry.tenant_table('api_key_usage', app_may => '{select}');
alter table api_key_usage add constraint api_key_usage_key_fkey
  foreign key (tenant_id, api_key_id) references api_keys (tenant_id, id) on delete cascade;
