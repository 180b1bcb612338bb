import type { BrandSource } from '#kernel'
import { presentBranding } from './present.ts'
import { findTenant } from './queries.ts'
import { tenantTimeZone } from './settings.ts'

/** What a tenant's mails look like, and the time zone of people who have chosen none. */
export const brandOf: BrandSource = async (ctx, tenantId) => {
  const [tenant, timezone] = await Promise.all([findTenant(ctx.tx, tenantId), ctx.setting(tenantTimeZone, tenantId)])
  if (!tenant) return null
  const { primary_color, accent_color, logo_url } = presentBranding(tenant)
  return { name: tenant.name, primaryColor: primary_color, accentColor: accent_color, logoUrl: logo_url, timezone }
}
