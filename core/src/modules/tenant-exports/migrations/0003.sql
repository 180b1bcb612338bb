-- Restores of a tenant that have begun and are not complete. The row goes with the last step.
create table tenant_restores (
  tenant_id uuid not null,
  id uuid not null,
  -- SHA-256 of the manifest: nothing goes on with another export.
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  -- What was asked for.
  tables text[] not null,
  replaces boolean not null,
  -- The step that is being done, and how many lines of it are.
  step text not null check (length(step) <= 100),
  lines_done bigint not null default 0 check (lines_done >= 0),
  -- By table, what was found and done so far.
  counts jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
-- One at a time.
create unique index tenant_restores_tenant_key on tenant_restores (tenant_id);
select tenantry.tenant_table('tenant_restores', app_may => '{}');
alter table tenant_restores add constraint tenant_restores_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
