-- What the filters stand on where the log of the installation is read: as in the logs of tenants, each ends with the id. The
-- rows are few beside those, and come with work that costs far more, such as the check of a password.
create index global_audit_logs_action on global_audit_logs (action collate "C", id);
create index global_audit_logs_resource_type on global_audit_logs (resource_type, id);
create index global_audit_logs_resource on global_audit_logs (resource_id, id) where resource_id is not null;
create index global_audit_logs_actor on global_audit_logs (actor_id, id) where actor_id is not null;
create index global_audit_logs_store on global_audit_logs (store_id, id) where store_id is not null;
create index global_audit_logs_address on global_audit_logs (ip_address, id) where ip_address is not null;

-- What the same filters stand on over all tenants: of each stretch of the table, between which ids it lies and which values are
-- not in it. Which tenants recorded something just now is asked of it too, in place of audit_logs_recent. Like that one it
-- is written when a stretch is full, which costs a writer next to nothing; a tree for each filter, in the order of all tenants, would cost each
-- record of every tenant more.
drop index audit_logs_recent;
create index audit_logs_stretches on audit_logs using brin (
  id,
  action collate "C" text_bloom_ops (n_distinct_per_range = 200),
  resource_type text_bloom_ops (n_distinct_per_range = 100),
  resource_id text_bloom_ops (n_distinct_per_range = 1000),
  actor_id uuid_bloom_ops (n_distinct_per_range = 1000),
  store_id uuid_bloom_ops (n_distinct_per_range = 500),
  ip_address text_bloom_ops (n_distinct_per_range = 500)
) with (pages_per_range = 32, autosummarize = on);
