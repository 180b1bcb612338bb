import type { Generated, PartialOperatorRole, Selectable, StoredSettings } from '#kernel'

/** A person, across all tenants. Global: an e-mail address belongs to one person, whatever tenants they are in. */
export interface UserTable {
  id: string
  created_at: string
  updated_at: string
  /** The address that mail is sent to. */
  email: string
  /** The form by which the address is found and unique; see `normalizeEmail`. */
  email_normalized: string
  name: string
  phone: string | null
  /** Their picture. */
  avatar_id: Generated<string | null>
  /** BCP 47, canonical: `de-CH`. */
  locale: string
  /** IANA zone: `Europe/Zurich`. */
  timezone: string
  email_verified_at: string | null
  two_factor_enabled: boolean
  is_super_admin: Generated<boolean>
  /** What they may do who run the installation, beside super admins, who may everything. */
  operator_roles: Generated<PartialOperatorRole[]>
  status: 'active' | 'disabled'
}

/** Written at every sign-in. It is not part of `users`, because a cluster replicates that table to every node. */
export interface UserLoginTable {
  user_id: string
  last_login_at: string
  last_tenant_id: string | null
}

/** Settings of a person across tenants. Not part of `users`, whose rows are read with every request. */
export interface UserSettingsTable {
  user_id: string
  settings: StoredSettings
  created_at: string
  updated_at: string
}

/** Directory of the tenants of each person, read before a tenant is known. */
export interface UserTenantTable {
  user_id: string
  tenant_id: string
  joined_at: string
}

export type UserRow = Selectable<UserTable>
export type UserLoginRow = Selectable<UserLoginTable>
export type UserSettingsRow = Selectable<UserSettingsTable>
export type UserTenantRow = Selectable<UserTenantTable>

declare module '#kernel' {
  interface Tables {
    users: UserTable
    user_logins: UserLoginTable
    user_settings: UserSettingsTable
    user_tenants: UserTenantTable
  }
}
