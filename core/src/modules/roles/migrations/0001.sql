create table roles (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  key text check (key in ('owner', 'admin', 'manager', 'staff', 'viewer')),
  name text not null check (length(name) <= 100),
  name_key text not null check (length(name_key) <= 200),
  description text not null check (length(description) <= 500),
  scope text not null check (scope in ('tenant', 'store')),
  is_system boolean not null,
  permissions text[] not null,
  constraint roles_pkey primary key (tenant_id, id),
  constraint roles_name_key unique (tenant_id, name_key),
  constraint roles_key_key unique (tenant_id, key),
  constraint roles_system_check check (is_system = (key is not null)),
  -- What a system role holds follows from the modules' declarations; a copy here would go stale.
  constraint roles_permissions_check check (not is_system or cardinality(permissions) = 0)
);
select tenantry.tenant_table('roles');
alter table roles add constraint roles_tenant_fkey
  foreign key (tenant_id) references tenants (id) on delete cascade;

create table role_assignments (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  user_id uuid not null,
  role_id uuid not null,
  store_id uuid,
  constraint role_assignments_pkey primary key (tenant_id, id),
  -- One tenant-wide assignment of a role to a person (store null), and one for each store.
  constraint role_assignments_key unique nulls not distinct (tenant_id, user_id, role_id, store_id)
);
select tenantry.tenant_table('role_assignments');
create index role_assignments_role on role_assignments (tenant_id, role_id);
create index role_assignments_store on role_assignments (tenant_id, store_id);
-- No cascade: a role that somebody holds cannot be deleted.
alter table role_assignments add constraint role_assignments_role_fkey
  foreign key (tenant_id, role_id) references roles (tenant_id, id);
alter table role_assignments add constraint role_assignments_store_fkey
  foreign key (tenant_id, store_id) references stores (tenant_id, id) on delete cascade;
alter table role_assignments add constraint role_assignments_user_fkey
  foreign key (user_id) references users (id);
alter table role_assignments add constraint role_assignments_tenant_fkey
  foreign key (tenant_id) references tenants (id) on delete cascade;
