-- Who belongs to a tenant, or was in it last: asked when it is removed for good.
create index user_tenants_tenant_id_idx on user_tenants (tenant_id);
create index user_logins_last_tenant_idx on user_logins (last_tenant_id) where last_tenant_id is not null;
