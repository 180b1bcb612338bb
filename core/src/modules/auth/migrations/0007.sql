-- Which tokens are for a tenant: asked when it is removed for good.
create index refresh_tokens_scope_idx on refresh_tokens (scope_tenant_id) where scope_tenant_id is not null;
