import {
  AppError,
  at,
  type Ctx,
  conflict,
  type FieldProblem,
  invalidRequest,
  newId,
  notFound,
  onBehalfOf,
  onViolation,
  permissionDenied,
} from '#kernel'
import { getSystemRole, requireMayGrant } from '../roles/index.ts'
import { findStore } from '../stores/index.ts'
import { findUser } from '../users/index.ts'
import { deleteInvitationRoles, findMember, insertInvitationRoles, lockMember } from './queries.ts'
import type { WantedRole } from './schema.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/**
 * The roles that a new member gets, each checked against what the caller may give; throws as `requireMayGrant` does.
 * Default: `viewer`, or no role when the caller may not give that.
 */
export async function checkRoles(ctx: Ctx, wanted: WantedRole[] | undefined): Promise<InvitedRole[]> {
  if (wanted === undefined) return defaultRoles(ctx)
  const roles = new Map<string, InvitedRole>()
  for (const [index, { role_id, store_id = null }] of wanted.entries()) {
    await requireMayGrant(ctx, role_id, store_id, `roles/${index}/store_id`)
    roles.set(`${role_id} ${store_id}`, { role_id, store_id })
  }
  return [...roles.values()]
}

/**
 * The roles that an invited person gets: as `checkRoles`, and each store must be active, because a role in an inactive
 * store is not given when the invitation is accepted.
 */
export async function checkInvitedRoles(ctx: Ctx, wanted: WantedRole[] | undefined): Promise<InvitedRole[]> {
  const roles = await checkRoles(ctx, wanted)
  const errors: FieldProblem[] = []
  for (const [index, { store_id }] of (wanted ?? []).entries()) {
    if (!(await isOpen(ctx, store_id ?? null)))
      errors.push(at(`roles/${index}/store_id`, 'is a store that is inactive'))
  }
  if (errors.length > 0) throw invalidRequest({ errors })
  return roles
}

/**
 * The roles of an invitation that somebody else sends again: checked like new ones, without those whose role or store has
 * been deleted since. Throws 409 when the invitation had roles and none is left.
 */
export async function recheckInvitedRoles(ctx: Ctx, invited: InvitedRole[]): Promise<InvitedRole[]> {
  const roles: InvitedRole[] = []
  for (const role of invited) {
    try {
      await requireMayGrant(ctx, role.role_id, role.store_id)
      if (await isOpen(ctx, role.store_id)) roles.push(role)
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== notFound) throw error
    }
  }
  if (invited.length > 0 && roles.length === 0)
    throw conflict({ detail: 'Nothing of what the invitation promises is left: take it back and invite anew' })
  return roles
}

/**
 * Locks the membership of whoever sends an invitation until the transaction ends and checks their rights again, so that
 * somebody who is being removed or demoted at the same time leaves no invitation behind. Throws 403.
 */
export async function requireStillMayInvite(ctx: Ctx, roles: readonly InvitedRole[]): Promise<void> {
  const userId = ctx.principal?.userId
  if (!userId) return
  const refused = () => permissionDenied({ members: { permission: 'user.invite' } })
  if ((await lockMember(ctx.tx, ctx.tenantId, userId))?.status !== 'active') throw refused()
  const sender = await onBehalfOf(ctx, userId)
  if (!sender.can('user.invite') && !sender.can('user.create')) throw refused()
  for (const { role_id, store_id } of roles) await requireMayGrant(sender, role_id, store_id)
}

/**
 * The roles of an invitation that its sender may still give. Null when the invitation gives nothing any more: its sender is
 * unknown, has left or been disabled, may not invite any more, or may give none of the roles.
 */
export async function listValidRoles(ctx: Ctx, invitation: InvitationRow): Promise<InvitedRole[] | null> {
  const sender = await findSender(ctx, invitation)
  if (!sender) return null
  const kept: InvitedRole[] = []
  for (const role of invitation.roles) if (await mayGive(sender, role)) kept.push(role)
  return invitation.roles.length > 0 && kept.length === 0 ? null : kept
}

/**
 * Replaces the rows that say which roles an open invitation names; their foreign key keeps those roles from being deleted.
 * Throws 404 for a role that does not exist.
 */
export async function replaceInvitationRoles(
  ctx: Ctx,
  invitationId: string,
  roles: readonly InvitedRole[],
): Promise<void> {
  await deleteInvitationRoles(ctx.tx, ctx.tenantId, invitationId)
  const roleIds = [...new Set(roles.map(({ role_id }) => role_id))]
  if (roleIds.length === 0) return
  const rows = roleIds.map((role_id) => ({
    tenant_id: ctx.tenantId,
    id: newId(),
    invitation_id: invitationId,
    role_id,
  }))
  await onViolation(insertInvitationRoles(ctx.tx, rows), { invitation_roles_role_fkey: notFound })
}

async function findSender(ctx: Ctx, { sender_type, invited_by }: InvitationRow): Promise<Ctx | null> {
  if (sender_type === 'system') return onBehalfOf(ctx, null)
  if (sender_type !== 'user' || invited_by === null) return null
  const [member, user] = await Promise.all([findMember(ctx.tx, ctx.tenantId, invited_by), findUser(ctx.tx, invited_by)])
  if (member?.status !== 'active' || user?.status !== 'active') return null
  const sender = await onBehalfOf(ctx, invited_by)
  return sender.can('user.invite') || sender.can('user.create') ? sender : null
}

/** False for any refusal by the rules of granting. */
async function mayGive(sender: Ctx, { role_id, store_id }: InvitedRole): Promise<boolean> {
  try {
    await requireMayGrant(sender, role_id, store_id)
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
  return isOpen(sender, store_id)
}

async function isOpen({ tx, tenantId }: Ctx, storeId: string | null): Promise<boolean> {
  return storeId === null || (await findStore(tx, tenantId, storeId))?.status === 'active'
}

async function defaultRoles(ctx: Ctx): Promise<InvitedRole[]> {
  const viewer = await getSystemRole(ctx.tx, ctx.tenantId, 'viewer')
  try {
    await requireMayGrant(ctx, viewer.id, null)
    return [{ role_id: viewer.id, store_id: null }]
  } catch (error) {
    if (error instanceof AppError && error.kind === permissionDenied) return []
    throw error
  }
}
