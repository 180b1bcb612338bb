import type { Ctx } from '#kernel'
import type { SettingsRow } from './queries.ts'
import { type Retention, retentionAt } from './retention.ts'
import type { Branding, Tenant, TenantSettings } from './schema.ts'
import type { TenantRecord } from './table.ts'

/** A tenant as it stands on the wire. */
export function presentTenant(row: TenantRecord): Tenant {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    status: row.status,
    owner_id: row.owner_id,
    branding: presentBranding(row),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

export function presentBranding({ branding }: Pick<TenantRecord, 'branding'>): Branding {
  return {
    logo_url: branding.logo_url ?? null,
    primary_color: branding.primary_color ?? null,
    accent_color: branding.accent_color ?? null,
    email_from_name: branding.email_from_name ?? null,
  }
}

/** All settings as they stand on the wire: with how long the audit log is kept now, and what that becomes. */
export function presentAllSettings({ clock, config }: Pick<Ctx, 'clock' | 'config'>, row: SettingsRow): TenantSettings {
  return { ...presentSettings(row), ...retentionAt(row.settings, clock.ms(), config.audit.minRetentionDays) }
}

/** The settings that hold whatever the time is, with a default for what the tenant has not set. */
export function presentSettings({
  id,
  settings,
  created_at,
  updated_at,
}: SettingsRow): Omit<TenantSettings, keyof Retention> {
  return {
    id,
    tenant_id: id,
    timezone: settings.timezone ?? 'UTC',
    locale: settings.locale ?? 'en',
    currency: settings.currency ?? 'USD',
    date_format: settings.date_format ?? 'YYYY-MM-DD',
    require_two_factor: settings.require_two_factor ?? false,
    two_factor_grace_days: settings.two_factor_grace_days ?? 7,
    session_max_age_hours: settings.session_max_age_hours ?? 720,
    invoice: {
      prefix: settings.invoice?.prefix ?? 'INV',
      rounding: settings.invoice?.rounding ?? 'line',
      tax_id: settings.invoice?.tax_id ?? null,
      legal_name: settings.invoice?.legal_name ?? null,
      address: settings.invoice?.address ?? null,
      footer: settings.invoice?.footer ?? null,
    },
    extra: settings.extra ?? {},
    created_at,
    updated_at,
  }
}
