import { Closed, defineMail, hashToken, Nullable, Timestamp, Type } from '#kernel'
import { findInvitation } from './queries.ts'

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
  // Its link is dead once it was accepted, withdrawn or sent anew.
  stillGood: async ({ tx, tenantId, clock }, { token }) => {
    const invitation = await findInvitation(tx, tenantId, hashToken(token))
    return invitation !== undefined && invitation.accepted_at === null && invitation.expires_at > clock.now()
  },
  texts: {
    en: ({ data, greet, link, plainName, safeName, time }) => {
      const shown = data.isVouched ? safeName : plainName
      const summary = `${shown(data.inviterName, 'A colleague')} invites you to join ${shown(data.tenantName, 'their company')}`
      return {
        subject: summary,
        greeting: greet(data.name),
        paragraphs: [`${summary}.`, `The link works once, until ${time(data.expiresAt)}.`],
        action: { label: 'Accept the invitation', url: link('/accept-invite', data.token) },
        closing: 'If you do not know who invites you, you can ignore this mail; nothing happens.',
      }
    },
  },
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
  texts: {
    en: ({ data: { name, byName, tenantName, email, isInvited, at }, greet, link, safeName, time }) => {
      const [by, tenant] = [safeName(byName, 'An owner'), safeName(tenantName, 'your company')]
      const act = isInvited ? `invited ${email} to be an owner of ${tenant}` : `made ${email} an owner of ${tenant}`
      return {
        subject: `${by} has ${act}`,
        greeting: greet(name),
        paragraphs: [
          `${by} has ${act} on ${time(at)}.`,
          'An owner may do everything, and may end the membership of any other owner.',
          isInvited ? 'If that is not right, take the invitation back.' : 'If that is not right, take the role back.',
        ],
        action: { label: `Sign in to ${tenant}`, url: link('/sign-in') },
        closing: 'You receive this mail because it concerns the security of your account.',
      }
    },
  },
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
  texts: {
    en: ({ data: { name, tenantName, invitations, more, at }, greet, link, safeName, time }) => {
      const lines = invitations.map(({ email, isRevoked }) =>
        isRevoked ? `${email}: taken back, its link is dead.` : `${email}: still open, with fewer roles.`,
      )
      return {
        subject: `Invitations to ${safeName(tenantName, 'your company')} were taken back`,
        greeting: greet(name),
        paragraphs: [
          `Since ${time(at)} invitations that you have sent do not hold as they were: a role or a store that they name has changed or gone, or you may not give it any more.`,
          ...lines,
          ...(more > 0 ? [`And ${more} more.`] : []),
        ],
        action: { label: 'Look at the invitations', url: link('/sign-in') },
        closing: 'Whoever is still to join can be invited anew.',
      }
    },
  },
})
