import { type Ctx, onBehalfOf } from '#kernel'
import { unassignAll } from '../roles/index.ts'
import { invitationNarrowed, invitationRevoked } from './events.ts'
import { listValidRoles, replaceInvitationRoles } from './invitation-roles.ts'
import { notifySenders, type Withdrawn } from './notify.ts'
import { presentInvitation } from './present-invitation.ts'
import { deleteMember, lockPendingInvitation, lockPendingOf, updateInvitation } from './queries.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/**
 * Call this in the same transaction after any change that may have taken a right from a person: roles that they may not
 * give any more are removed from their open invitations. An invitation that is left without a sender or a role is withdrawn.
 */
export async function reviewInvitationsOf(ctx: Ctx, senderId: string): Promise<void> {
  await reviewInvitations(ctx, await lockPendingOf(ctx.tx, ctx.tenantId, senderId))
}

/** The same for invitations that are locked already. Their senders get a mail. */
export async function reviewInvitations(ctx: Ctx, rows: readonly InvitationRow[]): Promise<void> {
  const withdrawn: Withdrawn[] = []
  for (const row of rows) {
    const kept = await listValidRoles(ctx, row)
    if (kept?.length === row.roles.length) continue
    if (kept) await narrowInvitation(ctx, row, kept)
    else await withdrawInvitation(ctx, row)
    withdrawn.push({ invitation: row, isRevoked: kept === null })
  }
  await notifySenders(ctx, withdrawn)
}

/** Withdraws an invitation of which nothing is left to give; true when it did. */
export async function withdrawIfWorthless(ctx: Ctx, { id }: InvitationRow): Promise<boolean> {
  const row = await lockPendingInvitation(ctx.tx, ctx.tenantId, id)
  if (!row || (await listValidRoles(ctx, row)) !== null) return false
  // The actor is the system: the person with the link only opened it.
  await reviewInvitations(await onBehalfOf(ctx, null), [row])
  return true
}

/** Ends a locked invitation: its link is dead and the person no longer counts as invited. */
export async function withdrawInvitation(ctx: Ctx, row: InvitationRow): Promise<void> {
  await unassignAll(ctx, row.user_id)
  await deleteMember(ctx.tx, ctx.tenantId, row.user_id)
  await ctx.emit(invitationRevoked, { before: presentInvitation(ctx, row) })
}

/** Reduces a locked invitation to these roles. */
export async function narrowInvitation(ctx: Ctx, row: InvitationRow, roles: InvitedRole[]): Promise<void> {
  const after = await updateInvitation(ctx.tx, ctx.tenantId, row.id, { roles, updated_at: ctx.clock.now() })
  await replaceInvitationRoles(ctx, row.id, roles)
  await ctx.emit(invitationNarrowed, { before: presentInvitation(ctx, row), after: presentInvitation(ctx, after) })
}
