import { defineRoute, ListQuery, notFound, Page, page } from '#kernel'
import { alreadyMember } from './errors.ts'
import { inviteMember, presentInvitation, resendInvitation, revokeInvitation } from './inviting.ts'
import { selectPendingInvitations } from './queries.ts'
import { Invitation, InvitationParams, NewInvitation } from './schema.ts'

const invite = defineRoute({
  method: 'POST',
  path: '/users/invite',
  summary: 'Invite a person by e-mail',
  description:
    'They count as a user of the tenant from now on and get the roles when they accept. An expired invitation is renewed.',
  access: { permission: 'user.invite' },
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
    const rows = await page(ctx, selectPendingInvitations(ctx.tx, ctx.tenantId))
    return { data: rows.data.map(presentInvitation), next_cursor: rows.next_cursor }
  },
})

const revoke = defineRoute({
  method: 'DELETE',
  path: '/users/invitations/:id',
  summary: 'Take an invitation back',
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
  description: 'With a new link and a new term; the link sent before is dead.',
  access: { permission: 'user.invite' },
  params: InvitationParams,
  response: { 200: Invitation },
  handler: (ctx, { params }) => resendInvitation(ctx, params.id),
})

export const invitationRoutes = [invite, listInvitations, revoke, resend]
