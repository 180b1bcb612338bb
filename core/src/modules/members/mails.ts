import { Closed, defineMail, Nullable, Timestamp, Type } from '#kernel'

const name = Type.Optional(Nullable(Type.String({ examples: ['Ann'] })))
const tenantName = Type.String({ examples: ['Acme'] })
const email = Type.String({ examples: ['eve@example.com'] })

/** An invitation to join a tenant. Pauses between mails are counted for each tenant. */
export const invitationMail = defineMail('invitation', {
  data: Closed({
    name,
    inviterName: Type.String({ examples: ['Bob'] }),
    tenantName,
    isVouched: Type.Optional(
      Type.Boolean({ description: 'Whoever invites has proven an e-mail address. Default: not.' }),
    ),
    token: Type.String(),
    expiresAt: Timestamp,
  }),
  pause: { minutes: 2, per: 'tenant' },
  values: ({ data, plainName, safeName, text }) => {
    const shown = data.isVouched ? safeName : plainName
    return {
      inviter: shown(data.inviterName, text('mail.invitation.words.inviter')),
      tenant: shown(data.tenantName, text('mail.invitation.words.tenant')),
      expiresAt: data.expiresAt,
    }
  },
  action: ({ data, link }) => link('/accept-invite', data.token),
})

/** Tells an owner that somebody was made an owner or invited to be one. */
export const newOwnerMail = defineMail('new_owner', {
  data: Closed({
    name,
    byName: Type.String({ examples: ['Bob'] }),
    tenantName,
    email,
    isInvited: Type.Boolean(),
    at: Timestamp,
  }),
  security: true,
  values: ({ data: { byName, tenantName, email, isInvited, at }, safeName, text }) => ({
    by: safeName(byName, text('mail.new_owner.words.by')),
    tenant: safeName(tenantName, text('mail.words.your_company')),
    email,
    invited: isInvited ? 'yes' : 'no',
    at,
  }),
  action: ({ link }) => link('/sign-in'),
})

/** Tells a sender which of their invitations were withdrawn or narrowed; `more`: how many are not listed. */
export const invitationsWithdrawnMail = defineMail('invitations_withdrawn', {
  data: Closed({
    name,
    tenantName,
    invitations: Type.Array(Closed({ email, isRevoked: Type.Boolean() })),
    more: Type.Integer(),
    at: Timestamp,
  }),
  values: ({ data: { tenantName, invitations, more, at }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    invitations: invitations.map(({ email, isRevoked }) =>
      text('mail.invitations_withdrawn.words.invitation', { email, revoked: isRevoked ? 'yes' : 'no' }),
    ),
    more,
    at,
  }),
  action: ({ link }) => link('/sign-in'),
})
