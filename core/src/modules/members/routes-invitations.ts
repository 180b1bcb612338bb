import { conflict, defineRoute, ListQuery, notFound, Page, page, planLimitReached } from '#kernel'
import { alreadyMember } from './errors.ts'
import { inviteMember, resendInvitation, revokeInvitation } from './invite.ts'
import { presentInvitation } from './present-invitation.ts'
import { listPendingInvitations } from './queries.ts'
import { Invitation, InvitationParams, NewInvitation } from './schema.ts'

const invite = defineRoute({
  method: 'POST',
  path: '/users/invite',
  summary: 'Invite a person by e-mail',
  description:
    'They count as a user of the tenant until the invitation expires, and get the roles when they accept, as far as you may give them then. An expired invitation is renewed. Your own e-mail address must be confirmed. Where the installation sends no mail (`MAIL=off`), 503.',
  access: { permission: 'user.invite' },
  // An invitation is worth what its sender may give when it is accepted, and comes from somebody with a proven address.
  callers: 'people',
  impersonation: 'writes',
  limit: 'users',
  body: NewInvitation,
  response: { 201: Invitation },
  errors: [alreadyMember, notFound],
  location: ({ id }) => `/api/v1/users/invitations/${id}`,
  handler: (ctx, { body }) => inviteMember(ctx, body),
})

const listInvitations = defineRoute({
  method: 'GET',
  path: '/users/invitations',
  summary: 'List the invitations that nobody has accepted yet, expired ones included',
  access: { permission: 'user.invite' },
  query: ListQuery({}),
  response: { 200: Page(Invitation) },
  handler: async (ctx) => {
    const rows = await page(ctx, listPendingInvitations(ctx.tx, ctx.tenantId))
    return { data: rows.data.map((row) => presentInvitation(ctx, row)), next_cursor: rows.next_cursor }
  },
})

const revoke = defineRoute({
  method: 'DELETE',
  path: '/users/invitations/:id',
  name: 'revokeUserInvitation',
  summary: 'Take an invitation back',
  description: 'Of one that promises more than you hold, 403.',
  access: { permission: 'user.invite' },
  params: InvitationParams,
  response: { 204: null },
  handler: async (ctx, { params }) => {
    await revokeInvitation(ctx, params.id)
    return undefined
  },
})

const resend = defineRoute({
  method: 'POST',
  path: '/users/invitations/:id/resend',
  summary: 'Send an invitation again',
  description:
    'With a new link and a new term; the link sent before is dead. You must be allowed to give its roles, and they are your promise from then on. Within two minutes of the last mail nothing is sent. One that had expired takes a place in the plan again. Your own e-mail address must be confirmed. Where the installation sends no mail (`MAIL=off`), 503.',
  access: { permission: 'user.invite' },
  callers: 'people', // as inviting
  impersonation: 'writes',
  params: InvitationParams,
  response: { 200: Invitation },
  errors: [conflict, planLimitReached],
  handler: (ctx, { params }) => resendInvitation(ctx, params.id),
})

export const invitationRoutes = [invite, listInvitations, revoke, resend]
