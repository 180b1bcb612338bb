import {
  AppError,
  at,
  type Ctx,
  conflict,
  type FieldProblem,
  invalidRequest,
  notFound,
  onBehalfOf,
  permissionDenied,
} from '#kernel'
import { getSystemRole, requireMayGrant } from '../roles/index.ts'
import { findStore } from '../stores/index.ts'
import { findUser } from '../users/index.ts'
import { findMember, lockMember } from './queries.ts'
import type { WantedRole } from './schema.ts'
import type { InvitationRow, InvitedRole } from './table.ts'

/**
 * The roles that somebody who joins is to get, each checked against what the caller may give: throws as
 * `requireMayGrant` does. Without a wish it is `viewer`; whoever may not even give that brings people without a role.
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
 * The roles that somebody who is invited is to get: as `checkRoles`, and each store must be open. One that is not would be
 * worth nothing when the invitation is accepted.
 */
export async function checkInvited(ctx: Ctx, wanted: WantedRole[] | undefined): Promise<InvitedRole[]> {
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
 * The roles of a promise that is made again by somebody else: checked like new ones, without those whose role or store is
 * gone since. Throws 409 when none is left of any.
 */
export async function checkPromised(ctx: Ctx, promised: InvitedRole[]): Promise<InvitedRole[]> {
  const roles: InvitedRole[] = []
  for (const role of promised) {
    try {
      await requireMayGrant(ctx, role.role_id, role.store_id)
      if (await isOpen(ctx, role.store_id)) roles.push(role)
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== notFound) throw error
    }
  }
  if (promised.length > 0 && roles.length === 0)
    throw conflict({ detail: 'Nothing of what the invitation promises is left: take it back and invite anew' })
  return roles
}

/**
 * Holds the membership of whoever sends an invitation until the transaction ends, and asks once more what they may do: so
 * that somebody who is being removed or demoted at this moment leaves no promise behind. Throws 403.
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
 * Of the roles that an invitation promises, those that its sender may give by what they may do now. Null when it is worth
 * nothing: its sender is unknown, has left or been disabled, may not invite any more, or may give none of the roles.
 */
export async function listKept(ctx: Ctx, invitation: InvitationRow): Promise<InvitedRole[] | null> {
  const sender = await findSender(ctx, invitation)
  if (!sender) return null
  const kept: InvitedRole[] = []
  for (const role of invitation.roles) if (await mayGive(sender, role)) kept.push(role)
  return invitation.roles.length > 0 && kept.length === 0 ? null : kept
}

async function findSender(ctx: Ctx, { sender_type, invited_by }: InvitationRow): Promise<Ctx | null> {
  if (sender_type === 'system') return onBehalfOf(ctx, null)
  if (sender_type !== 'user' || invited_by === null) return null
  const [member, user] = await Promise.all([findMember(ctx.tx, ctx.tenantId, invited_by), findUser(ctx.tx, invited_by)])
  if (member?.status !== 'active' || user?.status !== 'active') return null
  const sender = await onBehalfOf(ctx, invited_by)
  return sender.can('user.invite') || sender.can('user.create') ? sender : null
}

/** Whatever the rules of granting have against it, it is a no. */
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
