create table shelves (
  tenant_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create index shelves_store_id_idx on shelves (tenant_id, store_id);
select tenantry.tenant_table('shelves');
alter table shelves add constraint shelves_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
alter table shelves add constraint shelves_store_id_fkey foreign key (tenant_id, store_id) references stores (tenant_id, id) on delete cascade;
