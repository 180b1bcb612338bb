import type { Ctx } from '#kernel'
import { getSystemRole } from '../roles/index.ts'
import { changeOwner, lockTenant } from '../tenants/index.ts'
import { getUser, type UserRow } from '../users/index.ts'
import { lastOwner } from './errors.ts'
import { listActiveHolders } from './queries.ts'

/**
 * To be called after whatever may have cost the tenant an owner, in the same transaction: throws 409 `last_owner` when
 * no active member is one. The tenant's row is locked first, so of parallel changes each sees what the others left.
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
