import { Closed, defineRoute, Uuid } from '#kernel'
import { nameTaken, roleInUse } from './errors.ts'
import {
  browsePermissions,
  browseRoles,
  changeRole,
  checkRole,
  createRole,
  readRole,
  removeRole,
} from './operations.ts'
import { NewRole, PermissionList, Role, RoleChanges, RolePage, RoleQuery } from './schema.ts'

const params = Closed({ id: Uuid })
const seeRoles = {
  permission: 'role.view',
  store: { shared: 'roles are of the whole tenant; whoever hands them out in one store has to see which there are' },
} as const

const listRolesRoute = defineRoute({
  method: 'GET',
  path: '/roles',
  summary: 'List roles',
  access: seeRoles,
  query: RoleQuery,
  response: { 200: RolePage },
  handler: (ctx, { query }) => browseRoles(ctx, query),
})

const getRoleRoute = defineRoute({
  method: 'GET',
  path: '/roles/:id',
  summary: 'Read a role',
  access: seeRoles,
  params,
  response: { 200: Role },
  handler: (ctx, { params }) => readRole(ctx, params.id),
})

const createRoleRoute = defineRoute({
  method: 'POST',
  path: '/roles',
  summary: 'Make a role',
  description: 'Out of permissions that you hold yourself, for the whole tenant.',
  access: { permission: 'role.create' },
  body: NewRole,
  check: checkRole,
  response: { 201: Role },
  errors: [nameTaken],
  handler: (ctx, { body }) => createRole(ctx, body),
})

const updateRoleRoute = defineRoute({
  method: 'PUT',
  path: '/roles/:id',
  summary: 'Change a role',
  description:
    'Absent fields stay; `permissions` is replaced whole. You must hold what the role allows, and to take a permission from it also what its holders may do beside. System roles cannot be changed.',
  access: { permission: 'role.update' },
  params,
  body: RoleChanges,
  check: checkRole,
  response: { 200: Role },
  errors: [nameTaken],
  handler: (ctx, { params, body }) => changeRole(ctx, params.id, body),
})

const deleteRoleRoute = defineRoute({
  method: 'DELETE',
  path: '/roles/:id',
  summary: 'Delete a role that nobody holds',
  description: 'You must hold what it allows. An invitation that promises it keeps it, an expired one too.',
  access: { permission: 'role.delete' },
  params,
  response: { 204: null },
  errors: [roleInUse],
  handler: (ctx, { params }) => removeRole(ctx, params.id),
})

const listPermissionsRoute = defineRoute({
  method: 'GET',
  path: '/permissions',
  summary: 'List all permissions that a role may hold',
  description: 'In the order of the modules that declare them.',
  access: seeRoles,
  response: { 200: PermissionList },
  handler: (ctx) => browsePermissions(ctx),
})

export const roleRoutes = [
  createRoleRoute,
  deleteRoleRoute,
  getRoleRoute,
  listPermissionsRoute,
  listRolesRoute,
  updateRoleRoute,
]
