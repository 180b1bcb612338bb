-- A person's password is apart from the person: `users` is read everywhere and replicated to every node of a cluster.
create table user_passwords (
  user_id uuid primary key,
  hash text not null check (length(hash) <= 512),
  changed_at timestamptz not null
);
select tenantry.global_table('user_passwords', 'a person has one password for all tenants');
alter table user_passwords add constraint user_passwords_user_id_fkey
  foreign key (user_id) references users (id) on delete cascade;

create table sessions (
  id uuid primary key,
  user_id uuid not null,
  created_at timestamptz not null,
  last_active_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  ip_address text check (length(ip_address) <= 64),
  user_agent text check (length(user_agent) <= 512),
  device text not null check (length(device) <= 128)
);
select tenantry.global_table('sessions', 'a session is a person at a device; it may act in several of their tenants');
alter table sessions add constraint sessions_user_id_fkey foreign key (user_id) references users (id) on delete cascade;
create index sessions_user_id_idx on sessions (user_id, id);
create index sessions_expires_at_idx on sessions (expires_at);

-- One lineage per tenant within a session; each token is spent once and names its successor, sealed under itself.
create table refresh_tokens (
  id uuid primary key,
  session_id uuid not null,
  user_id uuid not null,
  scope_tenant_id uuid,
  lineage_id uuid not null,
  generation integer not null,
  token_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  successor_sealed text check (length(successor_sealed) <= 512),
  unique (token_hash),
  unique (lineage_id, generation)
);
select tenantry.global_table('refresh_tokens', 'presented before the tenant is known; its tenant is one of the facts it holds');
alter table refresh_tokens add constraint refresh_tokens_session_id_fkey
  foreign key (session_id) references sessions (id) on delete cascade;
alter table refresh_tokens add constraint refresh_tokens_user_id_fkey
  foreign key (user_id) references users (id) on delete cascade;
create index refresh_tokens_session_id_idx on refresh_tokens (session_id);
create index refresh_tokens_user_id_idx on refresh_tokens (user_id);
create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);

create table user_tokens (
  id uuid primary key,
  user_id uuid not null,
  purpose text not null check (purpose in ('verify_email', 'reset_password')),
  email text not null check (length(email) <= 254),
  token_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  unique (token_hash)
);
select tenantry.global_table('user_tokens', 'links in mails prove a person, whatever the tenant');
alter table user_tokens add constraint user_tokens_user_id_fkey
  foreign key (user_id) references users (id) on delete cascade;
create index user_tokens_user_id_idx on user_tokens (user_id);
create index user_tokens_expires_at_idx on user_tokens (expires_at);

create table known_devices (
  user_id uuid not null,
  fingerprint text not null check (length(fingerprint) <= 64),
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (user_id, fingerprint)
);
select tenantry.global_table('known_devices', 'a device is known to a person, whatever the tenant');
alter table known_devices add constraint known_devices_user_id_fkey
  foreign key (user_id) references users (id) on delete cascade;
create index known_devices_last_seen_at_idx on known_devices (last_seen_at);

-- `key` is a hash of an e-mail address or of a client address, whether or not an account exists.
create table login_failures (
  key text primary key check (length(key) <= 64),
  failures integer not null,
  window_ends_at timestamptz not null
);
select tenantry.global_table('login_failures', 'counted before anybody is known');
create index login_failures_window_ends_at_idx on login_failures (window_ends_at);

create table signing_keys (
  id uuid primary key,
  generation integer not null,
  alg text not null check (length(alg) <= 16),
  public_jwk jsonb not null,
  private_sealed text not null check (length(private_sealed) <= 2048),
  created_at timestamptz not null,
  not_before timestamptz not null,
  retire_at timestamptz,
  unique (generation)
);
select tenantry.global_table('signing_keys', 'access tokens of all tenants are signed with the same keys');

-- At most one row: the first super admin is made once.
create table bootstraps (
  id boolean primary key check (id),
  token_hash bytea,
  created_at timestamptz not null,
  completed_at timestamptz,
  user_id uuid
);
select tenantry.global_table('bootstraps', 'a fact of the installation');
alter table bootstraps add constraint bootstraps_user_id_fkey foreign key (user_id) references users (id);
create index bootstraps_user_id_idx on bootstraps (user_id);
