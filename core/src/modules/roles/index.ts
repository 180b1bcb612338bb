import { defineModule } from '#kernel'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { foundRoles } from './found-roles.ts'
import { roleGrants } from './grants.ts'
import { importedRoles, restoredAssignments } from './imported.ts'
import { roleChangedNotice } from './notifications.ts'
import { roleRoutes } from './routes.ts'
import { unknownRoles } from './unknown-roles.ts'

export { type AssignOptions, assignRole, type RoleToAssign, unassignAll, unassignRole } from './assignment.ts'
export { catalogueOf } from './catalogue.ts'
export { nameTaken, roleInUse } from './errors.ts'
export * from './events.ts'
export { isOwner, type RoleInPlace, requireHoldsAll, requireMayActOn, requireMayGrant } from './grant-rules.ts'
export { listGrants, listRolesWith } from './grants.ts'
export { changeRole, createRole, findRoleByName, removeRole } from './operations.ts'
export { findRole, getRole, getSystemRole, type HeldRole, listAllRoles, listAssignments, lockRole } from './queries.ts'
export { Permission, Role, RoleAssignment } from './schema.ts'
export type { SystemRoleKey } from './system-roles.ts'
export type { RoleAssignmentRow, RoleRow } from './table.ts'

/** Who may do what: roles out of the modules' permissions, held for the whole tenant or for single stores. */
export const roles = defineModule({
  name: 'roles',
  description: 'Roles of a tenant, and the permissions that they are made of.',
  dependsOn: [users, tenants, stores],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'role.view': { description: 'See roles and permissions', scope: 'store', roles: ['admin', 'manager', 'viewer'] },
    'role.create': 'Make roles',
    'role.update': 'Change roles',
    'role.delete': 'Delete roles',
    'role.assign': { description: 'Give and take roles', scope: 'store', roles: ['admin', 'manager'] },
  },
  events: Object.values(events),
  routes: roleRoutes,
  notifications: [roleChangedNotice],
  grants: [roleGrants],
  declarationProblems: unknownRoles,
  founding: foundRoles,
  exported: { roles: { imported: importedRoles }, role_assignments: { restored: restoredAssignments } },
  cases: () => import('./roles.cases.ts'),
})
