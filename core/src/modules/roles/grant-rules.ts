import { at, type Ctx, invalidRequest, permissionDenied, requireOwnHand } from '#kernel'
import { getStore } from '../stores/index.ts'
import { catalogueOf, effectivePermissions } from './catalogue.ts'
import { getRole, listHeldRoles } from './queries.ts'
import type { RoleRow } from './table.ts'

type Held =
  | { readonly role: string; readonly storeId: string | null }
  | { readonly name: string; readonly store_id: string | null }

/** True when one of these is the role `owner` for the whole tenant; no other role can have that name. */
export function isOwner(held: readonly Held[]): boolean {
  return held.some((each) =>
    'role' in each ? each.role === 'owner' && each.storeId === null : each.name === 'owner' && each.store_id === null,
  )
}

/** A role and the place where it is or will be held, with the fields that decide its permissions. */
export interface RoleInPlace extends Pick<RoleRow, 'key' | 'permissions'> {
  readonly store_id: string | null
}

/**
 * Checks that the caller may give a role, for the whole tenant (`storeId` null) or for a store, and returns the role.
 * They need `role.assign` there and every permission that the role would grant there; only owners give `owner`. Throws
 * 403 `permission_denied` naming the permission, 404 for an unknown role or store, 400 at `pointer` when a store is
 * given for a tenant-wide role or is missing for a role made for stores.
 */
export async function requireMayGrant(
  ctx: Ctx,
  roleId: string,
  storeId: string | null,
  pointer = 'store_id',
): Promise<RoleRow> {
  const role = await requireMayTake(ctx, roleId, storeId, pointer)
  // Built-in roles may be held either way.
  if (storeId === null && role.scope === 'store' && role.key === null)
    throw invalidRequest({ errors: [at(pointer, 'is required: this role is held for single stores')] })
  return role
}

/** The same for taking a role away; it accepts roles that could not be given in that place any more. */
export async function requireMayTake(
  ctx: Ctx,
  roleId: string,
  storeId: string | null,
  pointer = 'store_id',
): Promise<RoleRow> {
  // Checked first, so that a caller limited to some stores cannot tell other existing stores from unknown ones.
  ctx.require('role.assign', storeId)
  const role = await getRole(ctx.tx, ctx.tenantId, roleId)
  if (storeId !== null) {
    await getStore(ctx.tx, ctx.tenantId, storeId)
    if (role.scope === 'tenant') {
      throw invalidRequest({ errors: [at(pointer, 'must be absent: this role is held for the whole tenant')] })
    }
  }
  requireHoldsAll(ctx, [{ ...role, store_id: storeId }], 'role.assign')
  return role
}

/**
 * Throws unless the caller may change, disable or remove a person. Call it with that member's row locked, so that their
 * roles cannot grow meanwhile. Rules and errors as `requireHoldsAll`.
 */
export async function requireMayActOn(ctx: Ctx, userId: string, permission: string): Promise<void> {
  requireHoldsAll(ctx, await listHeldRoles(ctx.tx, ctx.tenantId, userId), permission)
}

/**
 * The one rule about people and roles: nobody gives, takes, changes or removes more than they hold themselves. Throws
 * 403 unless the caller holds everything that these roles grant in their places, and is an owner if one of them is
 * `owner`, and not somebody who acts as one. `permission`: the permission that the caller uses.
 */
export function requireHoldsAll(ctx: Ctx, roles: readonly RoleInPlace[], permission: string): void {
  if (ctx.actor.type === 'system' && ctx.principal === null) return
  for (const role of roles) {
    if (role.key === 'owner') requireOwnHand(ctx)
    if (role.key === 'owner' && !isOwner(ctx.grants)) {
      throw permissionDenied({ detail: 'Only an owner may do this, as it is about an owner', members: { permission } })
    }
    requireHeld(ctx, effectivePermissions(catalogueOf(ctx), role, role.store_id), role.store_id)
  }
}

/** Throws 403 naming the first permission that the caller lacks in that place. */
export function requireHeld(ctx: Ctx, permissions: readonly string[], storeId: string | null): void {
  const missing = permissions.find((permission) => !ctx.can(permission, storeId))
  if (missing === undefined) return
  throw permissionDenied({ detail: `You do not hold ${missing} yourself`, members: { permission: missing } })
}
