import { defineModule } from '#kernel'
import { pictures } from '../pictures/index.ts'
import { users } from '../users/index.ts'
import { brandOf } from './brand.ts'
import * as events from './events.ts'
import { importedTenant, restoredTenant } from './imported.ts'
import { deleteSlug, getSettings } from './queries.ts'
import { tenantRoutes } from './routes.ts'
import { tenantSettings } from './settings.ts'
import { tenantsSupport } from './support.ts'

export { deleteTenant, restoreTenant } from './deletion.ts'
export { registrationClosed, slugTaken, tenantSuspended } from './errors.ts'
export * from './events.ts'
export { Currency, Extra } from './formats.ts'
export { foundTenant, openTenant } from './found-tenant.ts'
export { changeBranding, changeOwner, changeTenant, getTenant, takeLogo } from './operations.ts'
export { presentTenant } from './present.ts'
export { findIdBySlug, findTenant, listTenants, lockTenant, lockTenantIfThere } from './queries.ts'
export { Slug, Tenant, TenantPatch } from './schema.ts'
export {
  changeSettings,
  tenantCurrency,
  tenantDateFormat,
  tenantExtra,
  tenantInvoicing,
  tenantLocale,
  tenantTimeZone,
} from './settings.ts'
export { asciiWords, randomSuffix } from './slugs.ts'
export { reactivateTenant, suspendTenant } from './suspension.ts'
export type { TenantRecord } from './table.ts'

const EVERYBODY = ['admin', 'manager', 'staff', 'viewer']

/** Tenants: names, branding and settings. */
export const tenants = defineModule({
  name: 'tenants',
  description: 'Companies that use the product, their settings and what they look like.',
  dependsOn: [pictures, users],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'tenant.view': { description: 'See the name and branding of the tenant', roles: EVERYBODY },
    'tenant.update': 'Change the name, slug and branding of the tenant',
    'tenant_settings.view': { description: 'See the settings of the tenant', roles: EVERYBODY },
    'tenant_settings.update': 'Change the settings of the tenant',
  },
  events: Object.values(events),
  routes: tenantRoutes,
  settings: tenantSettings,
  brands: brandOf,
  settingsOf: { tenant: async ({ tx }, id) => (await getSettings(tx, id)).settings },
  support: [tenantsSupport],
  holdings: [{ table: 'tenant_slugs', columns: ['tenant_id'], remove: deleteSlug, isLast: true }],
  exported: { tenants: { without: ['logo_id', 'is_incomplete'], imported: importedTenant, restored: restoredTenant } },
  cases: () => import('./tenants.cases.ts'),
})
