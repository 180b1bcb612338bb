import { defineError } from '#kernel'

export const alreadyMember = defineError('already_member', 409, 'This person is a member or invited already')
export const lastOwner = defineError('last_owner', 409, 'The tenant would have no owner left')
/** Of a link in a mail: unknown, spent or revoked; which of these is not told. */
export const invalidToken = defineError('invalid_token', 400, 'The link is not valid, or was used already')
export const tokenExpired = defineError('token_expired', 400, 'The link has expired; ask for a new one')
