create table stores (
  tenant_id uuid not null,
  id uuid not null,
  name text not null check (length(name) between 1 and 200),
  code text not null check (length(code) between 1 and 20),
  status text not null default 'active' check (status in ('active', 'inactive')),
  address jsonb,
  phone text check (length(phone) <= 40),
  email text check (length(email) <= 254),
  timezone text check (length(timezone) <= 64),
  is_default boolean not null default false,
  settings jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint stores_default_is_active check (status = 'active' or not is_default)
);
create unique index stores_code_key on stores (tenant_id, code);
-- Nobody can tell two names apart that differ in case or in how an accent is encoded.
create unique index stores_name_key on stores (tenant_id, lower(normalize(name, NFKC)));
create unique index stores_default_key on stores (tenant_id) where is_default;
select tenantry.tenant_table('stores');
alter table stores add constraint stores_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
