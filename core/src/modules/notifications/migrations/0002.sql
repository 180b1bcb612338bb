-- A browser of a member that messages are pushed to. What its service and keys are is sealed: whoever has them could push.
create table push_subscriptions (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  user_id uuid not null,
  -- The session that it was made in, which it ends with. It is in no tenant, so there is no foreign key.
  session_id uuid not null,
  -- SHA-256 of the address: one browser is told once.
  endpoint_hash bytea not null check (length(endpoint_hash) = 32),
  -- The host of its service, for people.
  service text not null check (length(service) between 1 and 255),
  -- Address and keys.
  sealed text not null,
  primary key (tenant_id, id),
  constraint push_subscriptions_endpoint_key unique (tenant_id, endpoint_hash)
);
create index push_subscriptions_user_idx on push_subscriptions (tenant_id, user_id, updated_at);
select tenantry.tenant_table('push_subscriptions', app_may => '{select,insert,delete,"update (user_id, session_id, sealed, updated_at)"}');
alter table push_subscriptions add constraint push_subscriptions_member_fkey
  foreign key (tenant_id, user_id) references members (tenant_id, id) on delete cascade;

-- News of those who run the installation, and how far the telling has come.
create table announcements (
  id uuid primary key,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  title text not null check (length(title) between 1 and 200),
  message text not null check (length(message) between 1 and 4000),
  type text not null check (type in ('info', 'warning', 'success', 'error')),
  -- Null: all tenants.
  tenant_ids uuid[],
  -- All tenants up to here are being told.
  position uuid,
  finished_at timestamptz
);
select tenantry.global_table('announcements', 'told by those who run the installation, in many tenants', app_may => '{}');
