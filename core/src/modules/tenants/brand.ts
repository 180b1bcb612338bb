import type { BrandSource } from '#kernel'
import { presentBranding } from './present.ts'
import { findTenant } from './queries.ts'

/** What a tenant's mails look like. */
export const brandOf: BrandSource = async (tx, tenantId) => {
  const tenant = await findTenant(tx, tenantId)
  if (!tenant) return null
  const { primary_color, accent_color, logo_url } = presentBranding(tenant)
  return { name: tenant.name, primaryColor: primary_color, accentColor: accent_color, logoUrl: logo_url }
}
