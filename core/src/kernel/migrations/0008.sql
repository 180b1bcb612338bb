-- Tenants at rest: what they have to do waits, whoever asked for it, until they are woken or removed. Looked at before any of
-- their work begins.
create table resting_tenants (
  tenant_id uuid not null,
  since timestamptz not null,
  constraint resting_tenants_pkey primary key (tenant_id)
);
select tenantry.global_table('resting_tenants', 'asked of many tenants at once, before any of their work begins', app_may => '{}');
