import { type Ctx, conflict, notFound } from '#kernel'
import { unassignAll } from '../roles/index.ts'
import { removeUserTenant } from '../users/index.ts'
import { requireMayActOnMember } from './access-rules.ts'
import { upsertDeparture } from './departure-queries.ts'
import { memberUpdated, userRemoved } from './events.ts'
import { ensureOwnerRemains } from './owners.ts'
import { getMember } from './present.ts'
import { deleteMember, lockMember, updateMember } from './queries.ts'
import type { Member, MemberPatch } from './schema.ts'
import { reviewInvitationsOf } from './withdraw-invitation.ts'

/**
 * Changes a membership. Disabling takes effect at the person's next request in this tenant and ends their open
 * invitations. Throws 403 for a person who holds more than the caller, 409 `last_owner` for the last owner, 409 for a
 * status of an invited person.
 */
export async function changeMember(ctx: Ctx, userId: string, patch: MemberPatch): Promise<Member> {
  const row = await lockMember(ctx.tx, ctx.tenantId, userId)
  if (!row) throw notFound()
  await requireMayActOnMember(ctx, row, 'user.update')
  const before = await getMember(ctx, userId)
  const changed = Object.entries(patch).some(([field, value]) => before[field as keyof MemberPatch] !== value) // fields of MemberPatch
  if (!changed) return before
  const turned = patch.status !== undefined && patch.status !== before.status
  if (turned && before.status === 'invited') {
    throw conflict({ detail: 'An invited person joins by accepting; revoke the invitation to stop that' })
  }
  await updateMember(ctx.tx, ctx.tenantId, userId, { ...patch, updated_at: ctx.clock.now() })
  // Checked for everybody: a person who is no owner may be made one at the same time.
  if (turned && patch.status === 'disabled') {
    await ensureOwnerRemains(ctx)
    await reviewInvitationsOf(ctx, userId)
  }
  const after = await getMember(ctx, userId)
  await ctx.emit(memberUpdated, { before, after })
  await ctx.forget({ userId })
  return after
}

/**
 * Ends a membership. Its roles, a pending invitation and the invitations that the person has sent end with it, and
 * their next request in this tenant fails. Throws 403 for a person who holds more than the caller, and 409
 * `last_owner`.
 */
export async function removeMember(ctx: Ctx, userId: string): Promise<void> {
  const row = await lockMember(ctx.tx, ctx.tenantId, userId)
  if (!row) throw notFound()
  await requireMayActOnMember(ctx, row, 'user.delete')
  // Emitted while the roles are still there: what rests on the person's rights may look at them in this transaction.
  await ctx.emit(userRemoved, { before: await getMember(ctx, userId) })
  await unassignAll(ctx, userId)
  await deleteMember(ctx.tx, ctx.tenantId, userId)
  await removeUserTenant(ctx, userId, ctx.tenantId)
  await upsertDeparture(ctx.tx, { user_id: userId, tenant_id: ctx.tenantId, left_at: ctx.clock.now() })
  await ensureOwnerRemains(ctx)
  await reviewInvitationsOf(ctx, userId)
  await ctx.forget({ userId })
}
