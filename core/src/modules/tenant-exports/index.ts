import { DAYS, defineModule } from '#kernel'
import { auth } from '../auth/index.ts'
import { files } from '../files/index.ts'
import { members } from '../members/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { importHoldings } from './holdings.ts'
import { KEPT_MS, writeTenantExport } from './jobs.ts'
import { storedExports } from './move.ts'
import { exportFailedNotice, tenantExportedNotice } from './notifications.ts'
import { tenantExportRoutes } from './routes.ts'
import { removeExpiredExports } from './sweep.ts'

export * from './events.ts'
export { type Abandoned, abandonImport } from './import/abandon.ts'
export { type Imported, importTenant } from './import/import-tenant.ts'
export type { ImportOptions, ReadingProgress } from './import/steps.ts'
export { getExport, startExport } from './operations.ts'
export { printable } from './reading/printable.ts'
export { ImportRefused } from './reading/refused.ts'
export { type Restored, restoreTenant } from './restore/restore-tenant.ts'
export type { RestoreOptions } from './restore/steps.ts'
export { StartedExport, TenantExport } from './schema.ts'

/** Everything that a tenant has in one file, which its owners download. */
export const tenantExports = defineModule({
  name: 'tenant-exports',
  description: 'Everything that a tenant has, in one file that its owners download.',
  dependsOn: [users, tenants, members, auth, files],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    // Whatever anybody in the tenant may see is in it.
    'tenant.export': { description: 'Export everything that the tenant has', roles: [] },
  },
  rateLimits: {
    tenant_exports: {
      // Of a tenant, whoever may not ask could use it up.
      per: 'person',
      max: 10,
      windowSeconds: 24 * 3_600,
      description: 'Asking for an export of everything that the tenant has',
    },
  },
  events: Object.values(events),
  routes: tenantExportRoutes,
  jobs: [writeTenantExport],
  schedules: [removeExpiredExports],
  notifications: [tenantExportedNotice, exportFailedNotice],
  moments: [{ table: 'tenant_exports', column: 'expires_at', aheadMs: KEPT_MS + 1 * DAYS }],
  stored: [storedExports],
  holdings: importHoldings,
  exported: {
    tenant_exports: { never: 'exports themselves' },
    tenant_restores: { never: 'work under way in this installation' },
  },
  cases: () => import('./tenant-exports.cases.ts'),
})
