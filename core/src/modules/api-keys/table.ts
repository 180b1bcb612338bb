import type { Generated, Selectable, TenantRow } from '#kernel'

/** Permissions in one place: a store, or the whole tenant (null). */
export interface HeldRight {
  store_id: string | null
  permissions: string[]
}

export interface ApiKeyTable extends TenantRow {
  name: string
  key_prefix: string
  scopes: string[]
  /** Null: the whole tenant. */
  store_ids: string[] | null
  /** Null: from anywhere. */
  allowed_cidrs: string[] | null
  rate_limit_per_minute: number | null
  expires_at: string | null
  /** Of a key that was replaced: until when it goes on. */
  overlap_ends_at: string | null
  revoked_at: string | null
  /** Until when it counts towards the plan; null: for good. */
  counted_until: string | null
  created_by: string
  replaces_id: string | null
  /** Once its maker has left: what it held at that moment. */
  frozen_rights: HeldRight[] | null
  reminded_days: number | null
  last_used_at: Generated<string | null>
  last_used_ip: Generated<string | null>
}

/** Directory of keys, read before a tenant is known. */
export interface ApiKeyHashTable {
  key_hash: Buffer
  tenant_id: string
  api_key_id: string
  created_by: string
  is_imported: boolean
}

/** Requests of a key on a day (UTC). */
export interface ApiKeyUsageTable {
  tenant_id: string
  api_key_id: string
  date: string
  requests: number
  errors: number
  limited: number
}

export type ApiKeyRow = Selectable<ApiKeyTable>
export type ApiKeyHashRow = Selectable<ApiKeyHashTable>
export type UsageRow = Selectable<ApiKeyUsageTable>

declare module '#kernel' {
  interface Tables {
    api_keys: ApiKeyTable
    api_key_hashes: ApiKeyHashTable
    api_key_usage: ApiKeyUsageTable
  }
}
