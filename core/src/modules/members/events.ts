import { defineEvent } from '#kernel'
import { Invitation, Member } from './schema.ts'

export const userInvited = defineEvent('user.invited', {
  description: 'Somebody was invited to join the tenant.',
  data: Invitation,
  published: true,
})

export const invitationResent = defineEvent('invitation.resent', {
  description: 'An invitation got a new link and a new term; the earlier link is dead.',
  data: Invitation,
})

export const invitationRevoked = defineEvent('invitation.revoked', {
  description: 'An invitation was taken back before it was accepted.',
  data: Invitation,
})

export const invitationNarrowed = defineEvent('invitation.narrowed', {
  description: 'An invitation promises less than before: its sender may not give the rest any more, or it is gone.',
  data: Invitation,
})

export const userJoined = defineEvent('user.joined', {
  description: 'An invited person accepted and is a member now.',
  data: Member,
  published: { as: 'user.created' },
})

export const userCreated = defineEvent('user.created', {
  description: 'A member was added without an invitation: together with a new account, or by an import of people.',
  data: Member,
  published: true,
})

export const memberUpdated = defineEvent('member.updated', {
  resource: 'user',
  description: 'A membership changed: name, phone, job title or status.',
  data: Member,
  published: { as: 'user.updated' },
})

export const userRemoved = defineEvent('user.removed', {
  description: 'A membership ended.',
  data: Member,
  published: { as: 'user.deleted' },
})
