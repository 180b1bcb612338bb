import type { Branding, Tenant } from './schema.ts'
import type { TenantRecord } from './table.ts'

/** A tenant as it stands on the wire. */
export function presentTenant(row: TenantRecord): Tenant {
  return { ...row, branding: presentBranding(row) }
}

export function presentBranding({ branding }: Pick<TenantRecord, 'branding'>): Branding {
  return {
    logo_url: branding.logo_url ?? null,
    primary_color: branding.primary_color ?? null,
    accent_color: branding.accent_color ?? null,
    email_from_name: branding.email_from_name ?? null,
  }
}
