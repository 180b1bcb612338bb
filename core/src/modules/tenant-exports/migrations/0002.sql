-- Imports of tenants that have begun and are not complete. The row goes with the last step.
create table tenant_imports (
  tenant_id uuid not null,
  -- SHA-256 of the manifest: nothing goes on with another export.
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  slug text not null,
  -- What the tenant becomes when all is there.
  status text not null,
  -- The step that is being done, and how many lines of it are.
  step text not null check (length(step) <= 100),
  lines_done bigint not null default 0 check (lines_done >= 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint tenant_imports_pkey primary key (tenant_id)
);
select tenantry.global_table('tenant_imports', 'an import begins before its tenant is there', app_may => '{}');
