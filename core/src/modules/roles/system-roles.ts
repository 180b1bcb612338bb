import type { RoleTable } from './table.ts'

/** The roles that every tenant has. */
export type SystemRoleKey = 'owner' | 'admin' | 'manager' | 'staff' | 'viewer'

export interface SystemRole {
  key: SystemRoleKey
  scope: RoleTable['scope']
  description: string
}

/**
 * `owner` and `admin` are held for the whole tenant; the others may be held for the whole tenant or for single stores.
 * Their permissions come from the modules' declarations (`roles` of a permission), `owner` has every one.
 */
export const SYSTEM_ROLES: readonly SystemRole[] = [
  { key: 'owner', scope: 'tenant', description: 'May do everything, and alone makes other owners' },
  { key: 'admin', scope: 'tenant', description: 'Runs the company from day to day' },
  { key: 'manager', scope: 'store', description: 'Runs stores and the people in them' },
  { key: 'staff', scope: 'store', description: 'Works in stores' },
  { key: 'viewer', scope: 'store', description: 'Looks, and changes nothing' },
]
