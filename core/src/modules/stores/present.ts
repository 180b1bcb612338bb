import type { Address, OpeningHours, Store, StoreSettings } from './schema.ts'
import type { StoreRow, StoreSettingsRow } from './table.ts'

export const NO_ADDRESS: Address = {
  line1: null,
  line2: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
}

export const CLOSED: OpeningHours = {
  monday: [],
  tuesday: [],
  wednesday: [],
  thursday: [],
  friday: [],
  saturday: [],
  sunday: [],
}

/** A store as it stands on the wire. */
export function presentStore(row: StoreRow): Store {
  return {
    tenant_id: row.tenant_id,
    id: row.id,
    name: row.name,
    code: row.code,
    status: row.status,
    address: row.address,
    phone: row.phone,
    email: row.email,
    timezone: row.timezone,
    is_default: row.is_default,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** The settings, with null or empty for whatever was not set. */
export function presentSettings({ settings, ...row }: StoreSettingsRow): StoreSettings {
  return {
    tenant_id: row.tenant_id,
    id: row.id,
    timezone: row.timezone,
    currency: settings.currency ?? null,
    opening_hours: settings.opening_hours ?? null,
    receipt_header: settings.receipt_header ?? null,
    receipt_footer: settings.receipt_footer ?? null,
    extra: settings.extra ?? {},
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}
