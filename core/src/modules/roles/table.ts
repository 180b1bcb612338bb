import type { Selectable, TenantRow } from '#kernel'
import type { SystemRoleKey } from './system-roles.ts'

export interface RoleTable extends TenantRow {
  /** Which of the built-in roles this is; null for a tenant's own. */
  key: SystemRoleKey | null
  name: string
  /** The key by which the name is unique, regardless of case and spacing. */
  name_key: string
  description: string
  scope: 'tenant' | 'store'
  is_system: boolean
  /** Empty for system roles: theirs follow from what the modules declare. */
  permissions: string[]
}

export interface RoleAssignmentTable extends TenantRow {
  user_id: string
  role_id: string
  /** Null: held for the whole tenant. */
  store_id: string | null
}

export type RoleRow = Selectable<RoleTable>
export type RoleAssignmentRow = Selectable<RoleAssignmentTable>

declare module '#kernel' {
  interface Tables {
    roles: RoleTable
    role_assignments: RoleAssignmentTable
  }
}
