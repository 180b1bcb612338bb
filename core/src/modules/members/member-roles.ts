import { type Ctx, notFound } from '#kernel'
import { assignRole, findRole, isOwner, listAssignments, unassignRole } from '../roles/index.ts'
import { notifyOwners } from './notify.ts'
import { ensureOwnerRemains } from './owners.ts'
import { getMemberAmong } from './present.ts'
import { lockMember } from './queries.ts'
import type { HeldRole, WantedRole } from './schema.ts'
import { reviewInvitationsOf } from './withdraw-invitation.ts'

/**
 * Gives a member a role, for the whole tenant or one store. Throws 404, also for a person whom the caller cannot see,
 * and as `requireMayGrant` does.
 */
export async function giveRole(ctx: Ctx, userId: string, { role_id, store_id = null }: WantedRole): Promise<HeldRole> {
  // Checked before any look-up, so that a caller whose rights are limited to some stores learns nothing about others.
  ctx.require('role.assign', store_id)
  if (!(await lockMember(ctx.tx, ctx.tenantId, userId))) throw notFound()
  const { email } = await getMemberAmong(ctx, userId, ctx.storesWith('user.view'))
  const isNew = await assignRole(ctx, { userId, roleId: role_id, storeId: store_id })
  const role = await findRole(ctx.tx, ctx.tenantId, role_id)
  if (!role) throw notFound()
  if (isNew) await notifyOwners(ctx, { email, roles: [{ role_id, store_id }], isInvited: false })
  return { role_id, name: role.name, store_id }
}

/** Takes a role from a member. Throws 404, 409 `last_owner`, and as `requireMayGrant` does. */
export async function takeRole(ctx: Ctx, userId: string, { role_id, store_id = null }: WantedRole): Promise<void> {
  ctx.require('role.assign', store_id)
  if (!(await lockMember(ctx.tx, ctx.tenantId, userId))) throw notFound()
  const role = await findRole(ctx.tx, ctx.tenantId, role_id)
  if (!role || (role.scope === 'tenant' && store_id !== null)) throw notFound()
  await unassignRole(ctx, { userId, roleId: role_id, storeId: store_id })
  if (isOwner([{ name: role.name, store_id }])) await ensureOwnerRemains(ctx)
  await reviewInvitationsOf(ctx, userId)
}

/** Takes every role that a person holds in one store. Throws 404 when they hold none there. */
export async function takeStoreRoles(ctx: Ctx, userId: string, storeId: string): Promise<void> {
  if (!(await lockMember(ctx.tx, ctx.tenantId, userId))) throw notFound()
  const assignments = await listAssignments(ctx.tx, ctx.tenantId, [userId])
  const held = assignments.filter(({ store_id }) => store_id === storeId)
  if (held.length === 0) throw notFound()
  for (const { role_id } of held) await unassignRole(ctx, { userId, roleId: role_id, storeId })
  await reviewInvitationsOf(ctx, userId)
}
