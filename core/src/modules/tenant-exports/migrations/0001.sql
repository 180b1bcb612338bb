-- Exports of a tenant: asked for, being written, and kept for a week after their end. The row goes with its file.
create table tenant_exports (
  tenant_id uuid not null,
  id uuid not null,
  -- Null: the operator, or the system.
  requested_by uuid,
  -- How often it was begun: a process that dies leaves it to the next one. Names the file that the attempt writes.
  attempts integer not null default 0 check (attempts >= 0),
  tables_done integer not null default 0 check (tables_done >= 0),
  -- Null: not known yet.
  tables_total integer check (tables_total >= 0),
  rows_done bigint not null default 0 check (rows_done >= 0),
  files_done integer not null default 0 check (files_done >= 0),
  files_total integer check (files_total >= 0),
  started_at timestamptz,
  finished_at timestamptz,
  -- Why there is no file although it is finished.
  error text check (error in ('storage_full', 'unexpected')),
  storage_backend text check (storage_backend in ('local', 's3')),
  storage_path text check (length(storage_path) <= 500),
  size bigint check (size > 0),
  checksum_sha256 text check (checksum_sha256 ~ '^[0-9a-f]{64}$'),
  -- When row and file go; null while it is being written.
  expires_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint tenant_exports_file_check check (
    (storage_path is null) = (storage_backend is null) and (storage_path is null) = (size is null) and (size is null) = (checksum_sha256 is null)),
  constraint tenant_exports_end_check check (
    (finished_at is null) = (expires_at is null) and (finished_at is not null) = ((storage_path is null) <> (error is null)))
);
-- One at a time.
create unique index tenant_exports_open_key on tenant_exports (tenant_id) where finished_at is null;
-- What the clock has to look at, among all tenants.
create index tenant_exports_expires_at_idx on tenant_exports (expires_at, tenant_id) where expires_at is not null;
-- Who asked, and when, stays as it was written.
select tenantry.tenant_table('tenant_exports', app_may => '{select,insert,delete,"update (attempts, tables_done, tables_total, rows_done, files_done, files_total, started_at, finished_at, error, storage_backend, storage_path, size, checksum_sha256, expires_at, updated_at)"}');
alter table tenant_exports add constraint tenant_exports_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
