-- What each tenant made the installation do: figures, not facts. They come in minutes, are merged into quarters of an hour soon
-- after, and summed up over a day, so that whoever looks reads a row for each tenant and not one for each hour of it.
-- Every process writes rows of all tenants in one statement, so on a cluster these stay plain tables of the coordinator: spread
-- over the shards each writing would be a commit in two phases, and as reference tables it would be one on every node.
-- In place of a tenant: 00000000-… what belongs to none, ffffffff-… tenants beyond those that a process tells apart.
create table load_minutes (
  starts_at timestamptz not null,
  tenant_id uuid not null,
  db_us bigint not null,
  requests bigint not null,
  rows_written bigint not null,
  jobs bigint not null,
  bytes bigint not null,
  errors bigint not null,
  constraint load_minutes_pkey primary key (starts_at, tenant_id)
) with (fillfactor = 70);
select tenantry.global_table('load_minutes', 'what all tenants cost is for who runs the installation, and for no tenant', app_may => '{}');

create table load_quarters (
  starts_at timestamptz not null,
  tenant_id uuid not null,
  db_us bigint not null,
  requests bigint not null,
  rows_written bigint not null,
  jobs bigint not null,
  bytes bigint not null,
  errors bigint not null,
  constraint load_quarters_pkey primary key (starts_at, tenant_id)
) with (fillfactor = 70);
select tenantry.global_table('load_quarters', 'what all tenants cost is for who runs the installation, and for no tenant', app_may => '{}');

-- The sum of the quarters that are kept.
create table load_totals (
  tenant_id uuid not null,
  db_us bigint not null,
  requests bigint not null,
  rows_written bigint not null,
  jobs bigint not null,
  bytes bigint not null,
  errors bigint not null,
  constraint load_totals_pkey primary key (tenant_id)
) with (fillfactor = 70);
select tenantry.global_table('load_totals', 'what all tenants cost is for who runs the installation, and for no tenant', app_may => '{}');

-- What an operator holds a tenant to. Requests and jobs of the tenant look at it; only the system role writes it.
create table tenant_throttles (
  tenant_id uuid not null,
  requests_per_minute integer not null check (requests_per_minute > 0),
  until timestamptz,
  reason text not null check (length(reason) <= 1000),
  created_at timestamptz not null,
  primary key (tenant_id)
);
select tenantry.tenant_table('tenant_throttles', app_may => '{select}');
alter table tenant_throttles add constraint tenant_throttles_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
