import { defineEvent } from '#kernel'
import { Role, RoleAssignment } from './schema.ts'

export const roleCreated = defineEvent('role.created', { description: 'A role was made', data: Role, published: true })
export const roleUpdated = defineEvent('role.updated', {
  description:
    'The name, description or permissions of a role changed; who holds it is told by role.assigned and role.unassigned',
  data: Role,
  published: { as: 'role.changed' },
})
export const roleDeleted = defineEvent('role.deleted', {
  description: 'A role was deleted',
  data: Role,
  published: true,
})
export const roleAssigned = defineEvent('role.assigned', {
  description: 'A role was given to a person, for the whole tenant or for a store',
  data: RoleAssignment,
  published: true,
})
export const roleUnassigned = defineEvent('role.unassigned', {
  description: 'A role was taken from a person',
  data: RoleAssignment,
  published: true,
})
