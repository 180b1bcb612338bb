import type { Ctx } from '#kernel'
import { getSystemRole } from '../roles/index.ts'
import { changeOwner, lockTenant } from '../tenants/index.ts'
import { getUser, type UserRow } from '../users/index.ts'
import { lastOwner } from './errors.ts'
import { listActiveHolders } from './queries.ts'

/**
 * Call this in the same transaction after any change that may remove an owner: it throws 409 `last_owner` when no
 * active member is one. It locks the tenant's row first, so parallel changes see each other.
 */
export async function ensureOwnerRemains(ctx: Ctx): Promise<void> {
  const tenant = await lockTenant(ctx.tx, ctx.tenantId)
  const role = await getSystemRole(ctx.tx, ctx.tenantId, 'owner')
  const owners = await listActiveHolders(ctx.tx, ctx.tenantId, role.id)
  const [first] = owners
  if (!first) throw lastOwner()
  if (!owners.some(({ id }) => id === tenant.owner_id)) await changeOwner(ctx, first.id)
}

/** The people who own the tenant and are active in it. */
export async function listOwners(ctx: Ctx): Promise<UserRow[]> {
  const role = await getSystemRole(ctx.tx, ctx.tenantId, 'owner')
  const owners = await listActiveHolders(ctx.tx, ctx.tenantId, role.id)
  return Promise.all(owners.map(({ id }) => getUser(ctx.tx, id)))
}
