import { defineEvent } from '#kernel'
import { RemovalRecord } from './schema.ts'

const about = { data: RemovalRecord, resource: 'tenant' }

export const tenantDeletedByOperator = defineEvent('admin.tenant_deleted', {
  description: 'An operator had a tenant deleted: it is removed for good unless that is undone',
  ...about,
})
export const tenantPurged = defineEvent('admin.tenant_purged', {
  description: 'The last of a tenant was removed, and certified',
  ...about,
})
