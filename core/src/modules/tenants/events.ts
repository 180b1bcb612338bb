import { defineEvent } from '#kernel'
import { SuspendedTenant, Tenant, TenantSettings } from './schema.ts'

export const tenantCreated = defineEvent('tenant.created', { description: 'A tenant was founded', data: Tenant })
export const tenantUpdated = defineEvent('tenant.updated', {
  description: 'Name, slug, owner or branding of a tenant changed',
  data: Tenant,
})
export const suspensionBegun = defineEvent('tenant.suspended', {
  description: 'The operator keeps everybody out of the tenant',
  data: SuspendedTenant,
})
export const tenantDeleted = defineEvent('tenant.deleted', {
  description:
    'The operator deleted the tenant: everybody is kept out, and it is removed for good unless that is undone',
  data: SuspendedTenant,
})
export const suspensionEnded = defineEvent('tenant.reactivated', {
  description: 'The operator lets everybody into the tenant again',
  data: SuspendedTenant,
})
export const tenantSettingsUpdated = defineEvent('tenant_settings.updated', {
  description: 'Settings of a tenant changed',
  data: TenantSettings,
  settings: 'tenant',
})
