-- What the filters of the audit log stand on. Each begins with the tenant and ends with the id, so that a page is read off
-- in its order and costs the same however many records there are. Operators are those that row-level security lets
-- through to an index: equality, and ranges of text_pattern_ops for `store.*`; LIKE is not among them.
-- Whether a column is null is part of the index where most records have none: those cost no entry.
create index audit_logs_action on audit_logs (tenant_id, action text_pattern_ops, id);
create index audit_logs_resource_type on audit_logs (tenant_id, resource_type, id);
create index audit_logs_resource on audit_logs (tenant_id, resource_id, id) where resource_id is not null;
create index audit_logs_actor on audit_logs (tenant_id, actor_id, id) where actor_id is not null;
create index audit_logs_store on audit_logs (tenant_id, store_id, id) where store_id is not null;
create index audit_logs_address on audit_logs (tenant_id, ip_address, id) where ip_address is not null;
