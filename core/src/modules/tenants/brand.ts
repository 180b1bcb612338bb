import type { Brand, BrandSource, Ctx } from '#kernel'
import { getPicture, pictureUrl } from '../pictures/index.ts'
import { presentBranding } from './present.ts'
import { findTenant } from './queries.ts'
import { tenantTimeZone } from './settings.ts'

/** What a tenant's mails look like, and the time zone of people who have chosen none. */
export const brandOf: BrandSource = async (ctx, tenantId) => {
  const [tenant, timezone] = await Promise.all([findTenant(ctx.tx, tenantId), ctx.setting(tenantTimeZone, tenantId)])
  if (!tenant) return null
  const { primary_color, accent_color } = presentBranding(ctx, tenant)
  return {
    name: tenant.name,
    primaryColor: primary_color,
    accentColor: accent_color,
    ...(await logoOf(ctx, tenant.logo_id)),
    timezone,
  }
}

/** In a size that is sharp on screens of twice the density, and as PNG: programs that show no WebP are in use for years yet. */
async function logoOf(ctx: Ctx, id: string | null): Promise<Pick<Brand, 'logoUrl' | 'logoSize'>> {
  if (id === null) return { logoUrl: null, logoSize: null }
  const { width, height } = await getPicture(ctx, id)
  return { logoUrl: `${pictureUrl(ctx, id)}?size=128&format=png`, logoSize: { width, height } }
}
