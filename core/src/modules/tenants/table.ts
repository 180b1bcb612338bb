import type { Generated, Selectable, StoredSettings } from '#kernel'
import type { Branding } from './schema.ts'

/** The one tenant-owned table whose own `id` names the tenant. */
export interface TenantTable {
  id: string
  name: string
  slug: string
  status: Generated<'active' | 'suspended' | 'deleted'>
  owner_id: string
  settings: Generated<StoredSettings>
  branding: Generated<Partial<Omit<Branding, 'logo_url'>>>
  logo_id: Generated<string | null>
  /** Since when and why the operator keeps its people out; null: nobody is kept out. */
  suspended_at: Generated<string | null>
  suspended_reason: Generated<string | null>
  /** It is still being read from an export: nobody lets its people in. */
  is_incomplete: Generated<boolean>
  created_at: string
  updated_at: string
}

/** Global directory: which tenant a slug belongs to. */
export interface TenantSlugTable {
  slug: string
  tenant_id: string
}

/** Global: how many tenants each person has founded. */
export interface TenantFounderTable {
  user_id: string
  founded: number
}

/** A tenant without its settings, which may be large and are read on their own, and without what is for operators. */
export type TenantRecord = Omit<
  Selectable<TenantTable>,
  'settings' | 'suspended_at' | 'suspended_reason' | 'is_incomplete'
>

/** What changes with its status. */
export type TenantStatus = Pick<Selectable<TenantTable>, 'status' | 'suspended_at' | 'suspended_reason' | 'updated_at'>

declare module '#kernel' {
  interface Tables {
    tenants: TenantTable
    tenant_slugs: TenantSlugTable
    tenant_founders: TenantFounderTable
  }
}
