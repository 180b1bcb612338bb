import { AppError, type Ctx, notFound, permissionDenied } from '#kernel'
import { getSystemRole, requireMayGrant } from '../roles/index.ts'
import type { WantedRole } from './schema.ts'
import type { InvitedRole } from './table.ts'

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
 * The roles of a promise that is made again: checked like new ones, without those whose role or store is gone since.
 */
export async function checkPromised(ctx: Ctx, promised: InvitedRole[]): Promise<InvitedRole[]> {
  const roles: InvitedRole[] = []
  for (const role of promised) {
    try {
      await requireMayGrant(ctx, role.role_id, role.store_id)
      roles.push(role)
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== notFound) throw error
    }
  }
  return roles
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
