-- What the protected server keeps for itself: its records, under the same row-level security, and its sessions.
create schema bench;
grant usage on schema bench to tenantry_app;
create table bench.records (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  action text not null,
  actor_id uuid,
  resource_id uuid,
  data jsonb not null,
  primary key (tenant_id, id)
);
create index on bench.records (tenant_id, created_at);
alter table bench.records enable row level security;
create policy tenant_isolation on bench.records using (tenant_id = current_setting('app.tenant_id')::uuid);
grant select, insert on bench.records to tenantry_app;

create table bench.sessions (
  id uuid primary key,
  user_id uuid not null references core.users (id) on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text
);
create index on bench.sessions (user_id);
grant select, insert on bench.sessions to tenantry_app;
