import { defineEvent } from '#kernel'
import { TenantExportFacts } from './schema.ts'

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
