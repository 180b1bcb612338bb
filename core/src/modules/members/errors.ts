import { defineError } from '#kernel'

export const alreadyMember = defineError('already_member', 409, 'This person is a member or invited already')
export const lastOwner = defineError('last_owner', 409, 'The tenant would have no owner left')
/** 400 for a mailed link that is unknown, used or revoked; the answer does not say which. */
export const invalidToken = defineError('invalid_token', 400, 'The link is not valid, or was used already')
export const tokenExpired = defineError('token_expired', 400, 'The link has expired; ask for a new one')
