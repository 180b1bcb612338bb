import { type Ctx, onBehalfOf } from '#kernel'
import { unassignAll } from '../roles/index.ts'
import { invitationNarrowed, invitationRevoked } from './events.ts'
import { listKept } from './invitation-roles.ts'
import { tellSenders, type Withdrawn } from './notify.ts'
import { presentInvitation } from './present-invitation.ts'
import { promiseRoles } from './promised-roles.ts'
import { deleteMember, lockPendingInvitation, lockPendingOf, updateInvitation } from './queries.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/**
 * To be called after whatever may have taken a right from a person, in the same transaction: what their open invitations
 * promise and they may not give any more is taken back. Without the person, or without anything left, so is the invitation.
 */
export async function reviewInvitationsOf(ctx: Ctx, senderId: string): Promise<void> {
  await reviewInvitations(ctx, await lockPendingOf(ctx.tx, ctx.tenantId, senderId))
}

/** The same for invitations that are locked already. Their senders are told. */
export async function reviewInvitations(ctx: Ctx, rows: readonly InvitationRow[]): Promise<void> {
  const withdrawn: Withdrawn[] = []
  for (const row of rows) {
    const kept = await listKept(ctx, row)
    if (kept?.length === row.roles.length) continue
    if (kept) await narrowInvitation(ctx, row, kept)
    else await withdrawInvitation(ctx, row)
    withdrawn.push({ invitation: row, isRevoked: kept === null })
  }
  await tellSenders(ctx, withdrawn)
}

/** Takes back an invitation that is worth nothing any more; true when it was so. */
export async function withdrawIfWorthless(ctx: Ctx, { id }: InvitationRow): Promise<boolean> {
  const row = await lockPendingInvitation(ctx.tx, ctx.tenantId, id)
  if (!row || (await listKept(ctx, row)) !== null) return false
  // Whoever holds the link has done nothing: it is the system that looks.
  await reviewInvitations(await onBehalfOf(ctx, null), [row])
  return true
}

/** Ends a locked invitation: its link is dead and the person no longer counts as invited. */
export async function withdrawInvitation(ctx: Ctx, row: InvitationRow): Promise<void> {
  await unassignAll(ctx, row.user_id)
  await deleteMember(ctx.tx, ctx.tenantId, row.user_id)
  await ctx.emit(invitationRevoked, { before: presentInvitation(ctx, row) })
}

/** Leaves of a locked invitation only these roles. */
export async function narrowInvitation(ctx: Ctx, row: InvitationRow, roles: InvitedRole[]): Promise<void> {
  const after = await updateInvitation(ctx.tx, ctx.tenantId, row.id, { roles, updated_at: ctx.clock.now() })
  await promiseRoles(ctx, row.id, roles)
  await ctx.emit(invitationNarrowed, { before: presentInvitation(ctx, row), after: presentInvitation(ctx, after) })
}
