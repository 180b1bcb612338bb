-- When the clock looks again at a file whose scan has failed.
alter table files add column scan_retry_at timestamptz;
-- Files go along with a thing that changes its store.
select tenantry.app_may('files', 'select', 'insert', 'delete',
  'update (filename, store_id, is_public, trashed_at, missing_at, scan_status, scan_retry_at, storage_backend, updated_at)');
