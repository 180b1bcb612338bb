import { type Ctx, notFound, onUnique, stamp } from '#kernel'
import { findStores } from '../stores/index.ts'
import { roleAssigned, roleUnassigned } from './events.ts'
import { requireMayGrant, requireMayTake } from './grant-rules.ts'
import { deleteAssignment, deleteAssignments, findRole, insertAssignment } from './queries.ts'
import { presentAssignment } from './schema.ts'
import type { RoleRow } from './table.ts'

/** A role for a person: for the whole tenant, or for one store. */
export interface RoleToAssign {
  userId: string
  roleId: string
  storeId: string | null
}

export interface AssignOptions {
  /**
   * Whether the role may be given was checked earlier, when an invitation named it, so the caller's rights are not
   * checked now. A role or store that has been deleted since is skipped.
   */
  preauthorized?: boolean
}

/**
 * Gives a person a role; false when they hold it already, true when it is new. Throws as `requireMayGrant` does. The
 * caller ensures that the person is a member and holds the lock on that member's row.
 */
export async function assignRole(ctx: Ctx, wanted: RoleToAssign, options: AssignOptions = {}): Promise<boolean> {
  const role = options.preauthorized
    ? await findPreauthorized(ctx, wanted)
    : await requireMayGrant(ctx, wanted.roleId, wanted.storeId)
  return role ? giveRole(ctx, wanted, role) : false
}

async function findPreauthorized(ctx: Ctx, { roleId, storeId }: RoleToAssign): Promise<RoleRow | undefined> {
  if (storeId !== null && (await findStores(ctx.tx, ctx.tenantId, [storeId])).length === 0) return undefined
  return findRole(ctx.tx, ctx.tenantId, roleId)
}

async function giveRole(ctx: Ctx, { userId, roleId, storeId }: RoleToAssign, role: RoleRow): Promise<boolean> {
  const assignment = { ...stamp(ctx), user_id: userId, role_id: roleId, store_id: storeId }
  const given = await onUnique(insertAssignment(ctx.tx, assignment), {
    role_assignments_role_fkey: notFound,
    role_assignments_store_fkey: notFound,
    role_assignments_user_fkey: notFound,
  })
  if (!given) return false
  await ctx.emit(roleAssigned, { ...about(role, storeId), after: presentAssignment(given, role) })
  await ctx.forget({ userId })
  return true
}

/**
 * Takes a role from a person: the tenant-wide one, or with `storeId` the one for that store. Needs the same rights as
 * giving it. Throws 404 when they do not hold it.
 */
export async function unassignRole(
  ctx: Ctx,
  { userId, roleId, storeId = null }: { userId: string; roleId: string; storeId?: string | null },
): Promise<void> {
  const role = await requireMayTake(ctx, roleId, storeId)
  const taken = await deleteAssignment(ctx.tx, ctx.tenantId, { userId, roleId, storeId })
  if (!taken) throw notFound()
  await ctx.emit(roleUnassigned, { ...about(role, storeId), before: presentAssignment(taken, role) })
  await ctx.forget({ userId })
}

/**
 * Takes all roles from a person whose membership ends. Checks no right and emits no event: both are the caller's task.
 */
export async function unassignAll(ctx: Ctx, userId: string): Promise<void> {
  await deleteAssignments(ctx.tx, ctx.tenantId, userId)
  await ctx.forget({ userId })
}

function about(role: RoleRow, storeId: string | null) {
  return { id: role.id, label: role.name, storeId }
}
