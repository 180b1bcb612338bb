import { type Ctx, pickFields } from '#kernel'
import { pictureUrl } from '../pictures/index.ts'
import { type Branding, Tenant } from './schema.ts'
import type { TenantRecord } from './table.ts'

/** A tenant as it stands on the wire. */
export function presentTenant(ctx: Pick<Ctx, 'config'>, row: TenantRecord): Tenant {
  return pickFields(Tenant, { ...row, branding: presentBranding(ctx, row) })
}

type Branded = Pick<TenantRecord, 'branding' | 'logo_id'>

export function presentBranding(ctx: Pick<Ctx, 'config'>, { branding, logo_id }: Branded): Branding {
  return {
    logo_url: pictureUrl(ctx, logo_id),
    primary_color: branding.primary_color ?? null,
    accent_color: branding.accent_color ?? null,
    email_from_name: branding.email_from_name ?? null,
  }
}
