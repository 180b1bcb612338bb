import { conflict, defineError } from '#kernel'

export const slugTaken = defineError('slug_taken', 409, 'Another tenant has this slug')
export const registrationClosed = defineError(
  'registration_closed',
  403,
  'Nobody can register here; ask for an invitation',
)
export const tenantSuspended = defineError('tenant_suspended', 403, 'This tenant is suspended')

/** 409 `conflict` for a tenant that is still being read from an export. */
export const incomplete = () =>
  conflict({ detail: 'An import of the tenant has not ended: go on with it, or take away what came of it' })
