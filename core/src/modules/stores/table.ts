import type { Generated, Selectable, StoredSettings, TenantRow } from '#kernel'
import type { Address } from './schema.ts'

export interface StoreTable extends TenantRow {
  name: string
  code: string
  status: Generated<'active' | 'inactive'>
  address: Address | null
  phone: string | null
  email: string | null
  timezone: string | null
  is_default: Generated<boolean>
  /** The settings except the time zone, which is a column. */
  settings: Generated<StoredSettings>
}

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
