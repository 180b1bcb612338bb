-- The logo that a tenant shows, by the id of its picture.
alter table tenants add column logo_id uuid;
create index tenants_logo_idx on tenants (id, logo_id) where logo_id is not null;
alter table tenants add constraint tenants_logo_fkey foreign key (logo_id) references pictures (id);
select tenantry.app_may('tenants', 'select', 'insert', 'update (name, slug, owner_id, settings, branding, logo_id, updated_at)');
