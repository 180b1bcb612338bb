create table users (
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  email text not null check (length(email) <= 254),
  email_normalized text not null check (length(email_normalized) <= 254),
  name text not null check (length(name) <= 200),
  phone text check (length(phone) <= 40),
  avatar_url text check (length(avatar_url) <= 2000),
  locale text not null check (length(locale) <= 35),
  timezone text not null check (length(timezone) <= 64),
  email_verified_at timestamptz,
  two_factor_enabled boolean not null,
  is_super_admin boolean not null,
  status text not null check (status in ('active', 'disabled')),
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email_normalized)
);
select tenantry.global_table('users', 'a person belongs to several tenants and signs in before one is known');

create table user_logins (
  user_id uuid not null,
  last_login_at timestamptz not null,
  last_tenant_id uuid,
  constraint user_logins_pkey primary key (user_id)
);
select tenantry.global_table('user_logins', 'a sign-in happens before a tenant is chosen');
alter table user_logins add constraint user_logins_user_fkey
  foreign key (user_id) references users (id) on delete cascade;

-- No foreign key to tenants: a global table cannot point into a sharded one. Rows are written in the transaction that
-- makes or ends the membership.
create table user_tenants (
  user_id uuid not null,
  tenant_id uuid not null,
  joined_at timestamptz not null,
  constraint user_tenants_pkey primary key (user_id, tenant_id)
);
select tenantry.global_table('user_tenants', 'the tenants of a person are looked up before one is known');
alter table user_tenants add constraint user_tenants_user_fkey
  foreign key (user_id) references users (id) on delete cascade;
