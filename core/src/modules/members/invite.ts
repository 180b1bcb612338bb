import {
  AppError,
  at,
  type Ctx,
  consume,
  type IfPaused,
  invalidRequest,
  momentAfter,
  notFound,
  recipientOf,
  SECONDS,
  stamp,
} from '#kernel'
import { requireMail } from '../mail/index.ts'
import { getTenant, tenantLocale, tenantTimeZone } from '../tenants/index.ts'
import { addUser, emailTaken, findUserByEmail, getUser, normalizeEmail, type UserRow } from '../users/index.ts'
import { requireMayActOnInvitation, requireProvenAddress } from './access-rules.ts'
import { alreadyMember } from './errors.ts'
import { invitationResent, userInvited } from './events.ts'
import {
  checkInvitedRoles,
  recheckInvitedRoles,
  replaceInvitationRoles,
  requireStillMayInvite,
} from './invitation-roles.ts'
import { invitationMail } from './mails.ts'
import { notifyOwners } from './notify.ts'
import { presentInvitation } from './present-invitation.ts'
import {
  type InvitationPatch,
  insertInvitation,
  insertMember,
  lockPendingInvitation,
  updateExpiredInvitation,
  updateInvitation,
  updateMember,
} from './queries.ts'
import type { Invitation, WantedRole } from './schema.ts'
import type { InvitationRow, InvitedRole } from './table.ts'
import { newInvitationToken } from './tokens.ts'
import { withdrawInvitation } from './withdraw-invitation.ts'

/** A person to invite. */
export interface NewInvitee {
  /** In any spelling; 400 `invalid_request` at `#/email` when it is no address. */
  email: string
  /** The name shown until they join; default: the part of the address before the `@`. */
  name?: string
  phone?: string | null
  job_title?: string | null
  /** Default: `viewer`, when the caller may give it. */
  roles?: WantedRole[]
}

/**
 * Invites a person, with or without an account, and mails them the link. Their roles are checked now and given when
 * they accept. A person whose invitation has expired can be invited again. Throws 409 `already_member` for members and
 * for open invitations, and for the roles as `requireMayGrant` does.
 */
export async function inviteMember(ctx: Ctx, input: NewInvitee): Promise<Invitation> {
  requireMail(ctx)
  const email = normalizeEmail(input.email)
  if (email === null) throw invalidRequest({ errors: [at('email', 'is not a valid e-mail address')] })
  await requireProvenAddress(ctx)
  const roles = await checkInvitedRoles(ctx, input.roles)
  await requireStillMayInvite(ctx, roles)
  const name = input.name ?? email.slice(0, email.lastIndexOf('@'))
  const user = await findOrAddUser(ctx, email, name)
  const { row, token, isNew } = await openInvitation(ctx, user, { ...input, name }, roles)
  await replaceInvitationRoles(ctx, row.id, roles)
  await mailInvitation(ctx, user, { row, token, ifPaused: isNew ? 'wait' : 'send' })
  await notifyOwners(ctx, { email, roles, isInvited: true })
  const invitation = presentInvitation(ctx, row)
  await ctx.emit(userInvited, { id: user.id, after: invitation })
  return invitation
}

async function findOrAddUser(ctx: Ctx, email: string, name: string): Promise<UserRow> {
  const known = await findUserByEmail(ctx.tx, email)
  if (known) return known
  const [locale, timezone] = await Promise.all([ctx.setting(tenantLocale), ctx.setting(tenantTimeZone)])
  try {
    return await addUser(ctx, { email, name, locale, timezone })
  } catch (error) {
    if (!(error instanceof AppError) || error.kind !== emailTaken) throw error
    // Somebody else added this person at the same time; their transaction has committed by now.
    const added = await findUserByEmail(ctx.tx, email)
    if (!added) throw error
    return added
  }
}

async function openInvitation(ctx: Ctx, user: UserRow, input: NewInvitee & { name: string }, roles: InvitedRole[]) {
  const { name, phone = null, job_title = null } = input
  const base = stamp(ctx)
  const { token, link } = newLink(ctx, base.created_at)
  const content = { name, roles, ...senderOf(ctx), ...link }
  const person = { ...base, id: user.id, name, phone, job_title, joined_at: base.created_at, ...seatOf(link) }
  const isNew = await insertMember(ctx.tx, { ...person, status: 'invited' })
  const row = isNew
    ? await insertInvitation(ctx.tx, { ...base, user_id: user.id, email: user.email, accepted_at: null, ...content })
    : await renewInvitation(ctx, user.id, input, content)
  return { row, token, isNew: isNew !== undefined }
}

async function renewInvitation(ctx: Ctx, userId: string, person: NewInvitee, content: InvitationPatch) {
  const now = ctx.clock.now()
  const row = await updateExpiredInvitation(ctx.tx, { tenantId: ctx.tenantId, userId, now }, content)
  if (!row) throw alreadyMember()
  const { name, phone, job_title } = person
  await updateMember(ctx.tx, ctx.tenantId, userId, { name, phone, job_title, updated_at: now, ...seatOf(row) })
  return row
}

/**
 * Sends a pending invitation again with a new link and a new expiry; earlier links are void. The caller becomes its
 * sender, so its roles are checked against their rights. An expired invitation counts towards the plan again. Does
 * nothing while a link sent a short time ago is valid. Throws 403 when the caller may not, and 404 without a pending
 * invitation.
 */
export async function resendInvitation(ctx: Ctx, id: string): Promise<Invitation> {
  requireMail(ctx)
  await requireProvenAddress(ctx)
  const before = await lockPendingInvitation(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  const roles = await recheckInvitedRoles(ctx, before.roles)
  await requireStillMayInvite(ctx, roles)
  const hadExpired = before.expires_at <= ctx.clock.now()
  const { token, link } = newLink(ctx, ctx.clock.now())
  const row: InvitationRow = { ...before, ...link, ...senderOf(ctx), roles }
  const user = await getUser(ctx.tx, row.user_id)
  if (!(await mailInvitation(ctx, user, { row, token, ifPaused: hadExpired ? 'send' : 'skip' })))
    return presentInvitation(ctx, before)
  await updateInvitation(ctx.tx, ctx.tenantId, id, { ...link, ...senderOf(ctx), roles })
  await replaceInvitationRoles(ctx, id, roles)
  await updateMember(ctx.tx, ctx.tenantId, row.user_id, seatOf(link))
  if (hadExpired) await consume(ctx, 'users')
  const invitation = presentInvitation(ctx, row)
  await ctx.emit(invitationResent, { before: presentInvitation(ctx, before), after: invitation })
  return invitation
}

/** Withdraws an invitation. Throws 404, and 403 for one that names roles beyond the caller's rights. */
export async function revokeInvitation(ctx: Ctx, id: string): Promise<void> {
  const row = await lockPendingInvitation(ctx.tx, ctx.tenantId, id)
  if (!row) throw notFound()
  await requireMayActOnInvitation(ctx, row, 'user.invite')
  await withdrawInvitation(ctx, row)
}

/** The sender: at acceptance their rights decide which roles are given. */
const senderOf = ({ actor, principal }: Ctx) => ({
  sender_type: principal ? principal.actor.type : actor.type,
  invited_by: principal?.userId ?? null,
})

const seatOf = ({ expires_at }: Pick<InvitationRow, 'expires_at'>) => ({ seat_ends_at: expires_at })

function newLink(ctx: Ctx, now: string) {
  const { token, hash } = newInvitationToken(ctx.tenantId)
  const expires_at = momentAfter(now, ctx.config.tokens.invitationTtlSeconds * SECONDS)
  return { token, link: { token_hash: hash, expires_at, sent_at: now, updated_at: now } }
}

async function mailInvitation(
  ctx: Ctx,
  user: UserRow,
  { row, token, ifPaused }: { row: InvitationRow; token: string; ifPaused: IfPaused },
): Promise<string | null> {
  const tenant = await getTenant(ctx.tx, ctx.tenantId)
  return ctx.mail(invitationMail, {
    ...recipientOf(user),
    data: {
      name: row.name,
      token,
      tenantName: tenant.name,
      inviterName: ctx.actor.label,
      isVouched: await isVouched(ctx),
      expiresAt: row.expires_at,
    },
    fromName: tenant.branding.email_from_name,
    ifPaused,
  })
}

/** Whether the inviting person has verified an e-mail address and so can be identified. */
async function isVouched(ctx: Ctx): Promise<boolean> {
  const userId = ctx.principal?.userId
  return userId ? (await getUser(ctx.tx, userId)).email_verified_at !== null : false
}
