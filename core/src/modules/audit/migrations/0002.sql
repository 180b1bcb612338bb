-- Which tenants recorded something just now is asked each minute, across all of them. Records come in the order of their
-- ids, nearly, so a summary of each stretch of the table answers it and costs a writer next to nothing.
create index audit_logs_recent on audit_logs using brin (id) with (autosummarize = on);

-- The end of each tenant's chain of seals. One row for a tenant that has a sealed record, locked while a block is added.
create table audit_chains (
  tenant_id uuid not null,
  id uuid not null,
  -- Blocks so far; 0: the first is being made.
  height bigint not null check (height >= 0),
  -- Records sealed so far: the first has the position 1, the newest this one.
  position bigint not null check (position >= 0),
  hash bytea not null check (length(hash) = 32),
  -- The greatest id sealed so far.
  sealed_to uuid not null,
  -- Every committed record with an id below is sealed. Ids are made before the commit, so a record may come to light after
  -- newer ones were sealed: up to here none can any more.
  complete_to uuid not null,
  -- What complete_to becomes once everything that ran at candidate_at has ended.
  candidate_to uuid,
  candidate_xmax text,
  candidate_at timestamptz,
  -- Retention has removed, or is about to remove, records with ids below; the block of that height says so.
  removed_to uuid,
  removal_height bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint audit_chains_candidate_check check ((candidate_to is null) = (candidate_xmax is null) and (candidate_to is null) = (candidate_at is null)),
  constraint audit_chains_removal_check check ((removed_to is null) = (removal_height is null))
);
select tenantry.tenant_table('audit_chains');
create unique index audit_chains_tenant_id_key on audit_chains (tenant_id);

-- The chain: each block seals some records, or says which ones retention removes, and holds the hash of the one before.
create table audit_blocks (
  tenant_id uuid not null,
  id uuid not null,
  height bigint not null check (height > 0),
  kind text not null check (kind in ('records', 'removal')),
  -- The position of the block's first record; for a removal that of the next record.
  first_position bigint not null check (first_position > 0),
  record_count integer not null check (record_count between 0 and 1000),
  -- The least and the greatest id among the entries.
  first_id uuid,
  last_id uuid,
  -- 48 bytes for each record in sealed order: 16 of its id, 32 of its hash.
  entries bytea not null,
  -- The chain's when the block was made.
  complete_to uuid not null,
  -- A removal: records with ids below may be missing from now on, and blocks of lesser heights than kept_from, which hold
  -- no others, as well.
  removed_to uuid,
  kept_from bigint,
  previous_hash bytea not null check (length(previous_hash) = 32),
  hash bytea not null check (length(hash) = 32),
  key_id text not null,
  signature bytea not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  constraint audit_blocks_entries_check check (length(entries) = 48 * record_count),
  constraint audit_blocks_records_check check ((kind = 'records') = (record_count > 0)),
  constraint audit_blocks_range_check check ((kind = 'records') = (first_id is not null) and (first_id is null) = (last_id is null)),
  constraint audit_blocks_removal_check check ((kind = 'removal') = (removed_to is not null) and (removed_to is null) = (kept_from is null))
);
select tenantry.tenant_table('audit_blocks', append_only => true);
-- Hashes do not get smaller by compression.
alter table audit_blocks alter column entries set storage external;
-- Two that seal the same tenant at once cannot both add the next block.
create unique index audit_blocks_height_key on audit_blocks (tenant_id, height);
create index audit_blocks_position on audit_blocks (tenant_id, first_position);
create index audit_blocks_last_id on audit_blocks (tenant_id, last_id) where last_id is not null;
