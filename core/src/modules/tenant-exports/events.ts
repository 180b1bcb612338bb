import { defineEvent } from '#kernel'
import { ImportFacts, OperatorExport, RestoreFacts, TenantExportFacts } from './schema.ts'

const data = TenantExportFacts

export const exportRequested = defineEvent('tenant.export_requested', {
  description: 'An export of everything that the tenant has was asked for',
  data,
})
export const tenantExported = defineEvent('tenant.exported', {
  description: 'An export of the tenant is done, and its owners can download it',
  data,
})
export const exportFailed = defineEvent('tenant.export_failed', {
  description: 'An export of the tenant has ended without a file',
  data,
})
export const exportDownloaded = defineEvent('tenant.export_downloaded', {
  description: 'An export of the tenant was downloaded',
  data,
})
export const tenantImported = defineEvent('tenant.imported', {
  description: 'The tenant was read from an export of it, most often of another installation',
  data: ImportFacts,
})
export const tenantImportedByOperator = defineEvent('admin.tenant_imported', {
  description: 'Whoever runs the installation read a tenant from an export of it',
  data: ImportFacts,
  resource: 'tenant',
})
export const tenantRestored = defineEvent('tenant.restored', {
  description: 'Rows of the tenant were brought back from an export of it',
  data: RestoreFacts,
})
export const tenantRestoredByOperator = defineEvent('admin.tenant_restored', {
  description: 'Whoever runs the installation brought rows of a tenant back from an export of it',
  data: RestoreFacts,
  resource: 'tenant',
})

const aboutTenant = { data: OperatorExport, resource: 'tenant' }

export const exportRequestedByOperator = defineEvent('admin.tenant_export_requested', {
  description: 'An operator asked for an export of everything that a tenant has',
  ...aboutTenant,
})
export const exportDownloadedByOperator = defineEvent('admin.tenant_export_downloaded', {
  description: 'An operator downloaded an export of a tenant',
  ...aboutTenant,
})
