import { type Ctx, permissionDenied } from '#kernel'
import { findRole, type RoleInPlace, requireHoldsAll, requireMayActOn } from '../roles/index.ts'
import { findUser } from '../users/index.ts'
import { findInvitationOf } from './queries.ts'
import type { InvitationRow, MemberRow } from './table.ts'

/**
 * Throws 403 unless the caller holds everything that the member holds; for an invited member, everything that the
 * invitation names. Call it with the member's row locked.
 */
export async function requireMayActOnMember(ctx: Ctx, member: MemberRow, permission: string): Promise<void> {
  await requireMayActOn(ctx, member.id, permission)
  if (member.status !== 'invited') return
  const invitation = await findInvitationOf(ctx.tx, ctx.tenantId, member.id)
  if (invitation) await requireMayActOnInvitation(ctx, invitation, permission)
}

/** Throws 403 unless the caller holds all roles of an invitation. */
export async function requireMayActOnInvitation(ctx: Ctx, { roles }: InvitationRow, permission: string): Promise<void> {
  const found: RoleInPlace[] = []
  for (const { role_id, store_id } of roles) {
    const role = await findRole(ctx.tx, ctx.tenantId, role_id)
    if (role) found.push({ ...role, store_id })
  }
  requireHoldsAll(ctx, found, permission)
}

/**
 * Throws 403 unless the caller has verified their e-mail address. Called before mail goes to an address that the caller
 * names, so that accounts without a working address cannot send mail to strangers.
 */
export async function requireProvenAddress(ctx: Ctx): Promise<void> {
  // Without outgoing mail there is nothing to abuse, and nobody could verify an address.
  if (ctx.config.mail.off) return
  if (ctx.actor.type === 'system' && ctx.principal === null) return
  const userId = ctx.principal?.userId
  const user = userId ? await findUser(ctx.tx, userId) : undefined
  if (user && user.email_verified_at !== null) return
  const detail =
    'Confirm your own e-mail address first, by the link that was mailed to it: this sends mail to somebody else'
  // Names no permission, because none is missing.
  throw permissionDenied({ detail })
}
