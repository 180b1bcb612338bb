import { defineEvent } from '#kernel'
import { ThrottledTenant } from './schema.ts'

const about = { data: ThrottledTenant, resource: 'tenant' }

export const tenantThrottled = defineEvent('tenant.throttled', {
  description: 'The operator holds the tenant to so many requests a minute',
  ...about,
})
export const tenantUnthrottled = defineEvent('tenant.unthrottled', {
  description: 'The operator holds the tenant back no longer',
  ...about,
})
export const tenantThrottledByOperator = defineEvent('admin.tenant_throttled', {
  description: 'An operator holds a tenant to so many requests a minute',
  ...about,
})
export const tenantUnthrottledByOperator = defineEvent('admin.tenant_unthrottled', {
  description: 'An operator holds a tenant back no longer',
  ...about,
})
