create table toys (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  noticed boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('toys');
