-- Who was a member of a tenant: asked when it is removed for good.
create index member_departures_tenant_id_idx on member_departures (tenant_id);
