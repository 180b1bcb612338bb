create table tenants (
  id uuid not null,
  name text not null check (length(name) between 1 and 200),
  slug text not null check (length(slug) between 3 and 63),
  status text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
  owner_id uuid not null,
  settings jsonb not null default '{}',
  branding jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (id)
);
select tenantry.tenant_table('tenants', 'id');
alter table tenants add constraint tenants_owner_id_fkey foreign key (owner_id) references users (id);
create index tenants_owner_id_idx on tenants (owner_id);

-- A slug is unique among all tenants and must be found before the tenant is known.
create table tenant_slugs (
  slug text not null check (length(slug) between 3 and 63),
  tenant_id uuid not null,
  primary key (slug)
);
create unique index tenant_slugs_tenant_id_key on tenant_slugs (tenant_id);
select tenantry.global_table('tenant_slugs', 'slugs are unique across tenants and are looked up before the tenant is known');
