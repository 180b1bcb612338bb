import type { Generated, Selectable, TenantRow } from '#kernel'
import type { Address, StoreSettings } from './schema.ts'

export interface StoreTable extends TenantRow {
  name: string
  code: string
  status: Generated<'active' | 'inactive'>
  address: Address | null
  phone: string | null
  email: string | null
  timezone: string | null
  is_default: Generated<boolean>
  settings: Generated<StoredSettings>
}

/** Only what was set. The time zone is the store's own column, and stands in both objects. */
export type StoredSettings = Partial<
  Pick<StoreSettings, 'currency' | 'opening_hours' | 'receipt_header' | 'receipt_footer' | 'extra'>
>

/** A store without its settings, which may be large and are read on their own. */
export type StoreRow = Omit<Selectable<StoreTable>, 'settings'>

export type StoreSettingsRow = Pick<
  Selectable<StoreTable>,
  'tenant_id' | 'id' | 'name' | 'timezone' | 'settings' | 'created_at' | 'updated_at'
>

declare module '#kernel' {
  interface Tables {
    stores: StoreTable
  }
}
