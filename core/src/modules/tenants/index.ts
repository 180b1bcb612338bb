import { defineModule } from '#kernel'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { routes } from './routes.ts'

const EVERYBODY = ['admin', 'manager', 'staff', 'viewer']

/** Tenants: what they are called, how they look, and what holds for everybody in them. */
export const tenants = defineModule({
  name: 'tenants',
  dependsOn: [users],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'tenant.view': { description: 'See the name and branding of the tenant', roles: EVERYBODY },
    'tenant.update': 'Change the name, slug and branding of the tenant',
    'tenant_settings.view': { description: 'See the settings of the tenant', roles: EVERYBODY },
    'tenant_settings.update': 'Change the settings of the tenant',
    'audit.retention': { description: 'Shorten how long records of what happened are kept', roles: [] },
  },
  events: Object.values(events),
  routes,
})

export { registrationClosed, slugTaken, tenantSuspended } from './errors.ts'
export * from './events.ts'
export { Currency, Extra } from './formats.ts'
export { foundTenant, openTenant } from './founding.ts'
export { changeBranding, changeOwner, changeTenant, getTenant } from './operations.ts'
export { presentSettings, presentTenant } from './present.ts'
export { findTenant, getSettings, listTenants, lockTenant } from './queries.ts'
export { type Retention, retentionAt } from './retention.ts'
export { Slug, Tenant, TenantSettings } from './schema.ts'
export { changeSettings } from './settings.ts'
export { asciiWords, randomSuffix } from './slugs.ts'
export type { TenantRecord } from './table.ts'
