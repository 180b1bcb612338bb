import { defineRoute, Short } from '#kernel'
import { lastOwner } from './errors.ts'
import { giveRole, takeRole } from './member-roles.ts'
import { getVisibleMember } from './present.ts'
import { HeldRole, RoleToTakeParams, RoleToTakeQuery, UserParams, WantedRole } from './schema.ts'
import { membersOfStores } from './visible-members.ts'

const listRoles = defineRoute({
  method: 'GET',
  path: '/users/:id/roles',
  summary: 'List the roles that a person holds',
  description: 'In the order in which they were given.',
  access: { permission: 'user.view', store: { rows: membersOfStores } },
  params: UserParams,
  response: { 200: Short(HeldRole) },
  handler: async (ctx, { params }) => {
    const { roles } = await getVisibleMember(ctx, params.id)
    return { data: roles }
  },
})

const assign = defineRoute({
  method: 'POST',
  path: '/users/:id/roles',
  name: 'assignUserRole',
  summary: 'Give a person a role',
  description: 'Nobody gives a permission that they do not hold themselves; only an owner makes an owner.',
  access: { permission: 'role.assign', store: { named: '#/store_id' } },
  params: UserParams,
  body: WantedRole,
  response: { 201: HeldRole },
  handler: (ctx, { params, body }) => giveRole(ctx, params.id, body),
})

const unassign = defineRoute({
  method: 'DELETE',
  path: '/users/:id/roles/:role_id',
  name: 'unassignUserRole',
  summary: 'Take a role from a person',
  access: { permission: 'role.assign', store: { named: 'query/store_id' } },
  params: RoleToTakeParams,
  query: RoleToTakeQuery,
  response: { 204: null },
  errors: [lastOwner],
  handler: async (ctx, { params, query }) => {
    await takeRole(ctx, params.id, { role_id: params.role_id, store_id: query.store_id })
    return undefined
  },
})

export const roleRoutes = [listRoles, assign, unassign]
