-- Whether a tenant is suspended is for the operator to say; a tenant is not deleted by a request.
select tenantry.app_may('tenants', 'select', 'insert', 'update (name, slug, owner_id, settings, branding, updated_at)');
select tenantry.app_may('tenant_slugs', 'select', 'insert', 'update (slug)');
select tenantry.app_may('tenant_founders', 'select', 'insert', 'update (founded)');
