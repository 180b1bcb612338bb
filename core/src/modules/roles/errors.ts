import { defineError } from '#kernel'

/** 409: another role of the tenant has this name, in whatever case. */
export const nameTaken = defineError('name_taken', 409, 'This name is already in use')

/** 409: somebody holds the role, or an invitation promises it. */
export const roleInUse = defineError('role_in_use', 409, 'Somebody holds this role, or is invited to it')
