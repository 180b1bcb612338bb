create table files (
  tenant_id uuid not null,
  id uuid not null,
  uploaded_by uuid,
  filename text not null check (length(filename) between 1 and 255),
  original_filename text not null check (length(original_filename) between 1 and 255),
  content_type text not null check (length(content_type) between 3 and 127),
  size bigint not null check (size > 0),
  checksum_sha256 text not null check (checksum_sha256 ~ '^[0-9a-f]{64}$'),
  storage_backend text not null check (storage_backend in ('local', 's3')),
  storage_path text not null check (length(storage_path) <= 500),
  entity_type text check (length(entity_type) <= 63),
  entity_id uuid,
  store_id uuid,
  is_public boolean not null default false,
  scan_status text not null check (scan_status in ('none', 'pending', 'clean', 'infected')),
  trashed_at timestamptz,
  missing_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint files_entity_check check ((entity_type is null) = (entity_id is null))
);
select tenantry.tenant_table('files');
alter table files add constraint files_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
create index files_entity_id_idx on files (tenant_id, entity_id, id) where trashed_at is null;
create index files_entity_type_idx on files (tenant_id, entity_type, id) where trashed_at is null;
create index files_store_id_idx on files (tenant_id, store_id) where store_id is not null;
create index files_trash_idx on files (tenant_id, id) where trashed_at is not null;
create index files_unscanned_idx on files (tenant_id, id) where scan_status = 'pending';
-- What the clock has to look at, among all tenants.
create index files_trashed_at_idx on files (trashed_at, tenant_id) where trashed_at is not null;

create table file_uploads (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('form', 'tus', 'direct')),
  begun_by text not null check (length(begun_by) <= 60),
  filename text not null check (length(filename) between 1 and 255),
  original_filename text not null check (length(original_filename) between 1 and 255),
  content_type text check (length(content_type) <= 127),
  size bigint check (size > 0),
  reserved bigint not null check (reserved >= 0),
  received bigint not null default 0 check (received >= 0),
  pieces integer not null default 0 check (pieces >= 0),
  kept text[] not null default '{}',
  metadata text check (length(metadata) <= 4000),
  writer uuid,
  writer_until timestamptz,
  storage_backend text not null check (storage_backend in ('local', 's3')),
  storage_path text not null check (length(storage_path) <= 500),
  entity_type text check (length(entity_type) <= 63),
  entity_id uuid,
  store_id uuid,
  is_public boolean not null default false,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint file_uploads_entity_check check ((entity_type is null) = (entity_id is null)),
  constraint file_uploads_writer_check check ((writer is null) = (writer_until is null))
);
select tenantry.tenant_table('file_uploads');
alter table file_uploads add constraint file_uploads_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
create index file_uploads_expires_at_idx on file_uploads (expires_at, tenant_id);

-- What is stored, and how much of the quota it takes, does not change.
select tenantry.app_may('files', 'select', 'insert', 'delete',
  'update (filename, is_public, trashed_at, missing_at, scan_status, storage_backend, updated_at)');
select tenantry.app_may('file_uploads', 'select', 'insert', 'delete',
  'update (reserved, received, pieces, kept, writer, writer_until, entity_type, entity_id, store_id, is_public, expires_at, updated_at)');
