import type { Address, Store } from './schema.ts'
import type { StoreRow } from './table.ts'

export const NO_ADDRESS: Address = {
  line1: null,
  line2: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
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
