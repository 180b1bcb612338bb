import { type Ctx, newId, notFound, onViolation } from '#kernel'
import { deleteInvitationRoles, insertInvitationRoles } from './queries.ts'
import type { InvitedRole } from './table.ts'

/**
 * Notes which roles an open invitation names, in place of what was noted before: the database keeps those from being
 * deleted. Throws 404 for one that is gone.
 */
export async function promiseRoles(ctx: Ctx, invitationId: string, roles: readonly InvitedRole[]): Promise<void> {
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
