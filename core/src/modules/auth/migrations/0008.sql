-- In which tenant operators act as somebody: asked when it is removed for good.
create index sessions_scope_idx on sessions (scope_tenant_id) where scope_tenant_id is not null;
