-- Requests change what people say of themselves. Who runs the installation, the address that an account is found by, whether
-- it is disabled and whether a second factor is asked for are no business of theirs.
alter table users alter is_super_admin set default false;
select tenantry.app_may('users', 'select',
  'insert (id, created_at, updated_at, email, email_normalized, name, phone, avatar_url, locale, timezone, email_verified_at, two_factor_enabled, status)',
  'update (updated_at, name, phone, locale, timezone, email_verified_at)');
select tenantry.app_may('user_logins', 'select', 'insert', 'update (last_login_at, last_tenant_id)');
select tenantry.app_may('user_tenants', 'select', 'insert', 'delete');
