import {
  at,
  type Ctx,
  type Declared,
  type FieldProblem,
  invalidRequest,
  onUnique,
  page,
  permissionDenied,
  sqlState,
  stamp,
  tidyLine,
} from '#kernel'
import { catalogueOf } from './catalogue.ts'
import { nameTaken, roleInUse } from './errors.ts'
import { roleCreated, roleDeleted, roleUpdated } from './events.ts'
import { requireHeld, requireHoldsAll } from './grant-rules.ts'
import { findLookAlike } from './look-alikes.ts'
import { keyOfName } from './names.ts'
import {
  deleteRole,
  findRoleByNameKey,
  getRole,
  insertRole,
  listRoles,
  listRolesOfHolders,
  lockRole,
  updateRole,
} from './queries.ts'
import { type NewRole, type Permission, presentRole, type Role, type RoleChanges, type RoleQuery } from './schema.ts'
import type { RoleRow } from './table.ts'

/** One page of the tenant's roles, newest first. */
export async function browseRoles(ctx: Ctx, { scope, q }: RoleQuery) {
  const { data, next_cursor } = await page(ctx, listRoles(ctx.tx, ctx.tenantId, { scope, q }))
  return { data: data.map((role) => present(ctx, role)), next_cursor }
}

export async function readRole(ctx: Ctx, id: string): Promise<Role> {
  return present(ctx, await getRole(ctx.tx, ctx.tenantId, id))
}

/** The tenant's role of that name, in whatever spelling; undefined: none. A built-in role has its key as name. */
export const findRoleByName = ({ tx, tenantId }: Ctx, name: string): Promise<RoleRow | undefined> =>
  findRoleByNameKey(tx, tenantId, keyOfName(tidyLine(name)))

/** All permissions that a role can have. */
export function browsePermissions(ctx: Ctx): { data: Permission[] } {
  return { data: [...catalogueOf(ctx).permissions] }
}

/** Creates a custom role from permissions that the caller holds for the whole tenant. */
export async function createRole(ctx: Ctx, input: NewRole): Promise<Role> {
  const { scope = 'tenant', permissions = [], description = '' } = input
  const name = named(input.name)
  requireKnown(ctx, permissions)
  requireScope(ctx, permissions, scope)
  requireHeld(ctx, permissions, null)
  const row = await onUnique(
    insertRole(ctx.tx, {
      ...stamp(ctx),
      ...name,
      key: null,
      description,
      scope,
      is_system: false,
      permissions: sorted(permissions),
    }),
    { roles_name_key: nameTaken },
  )
  const role = present(ctx, row)
  await ctx.emit(roleCreated, { after: role })
  return role
}

/**
 * Changes a custom role. The caller must hold for the whole tenant what the role grants and what is added; to remove a
 * permission they must hold everything that any of its holders does.
 */
export async function changeRole(ctx: Ctx, id: string, changes: RoleChanges): Promise<Role> {
  const renamed = changes.name === undefined ? {} : named(changes.name)
  requireKnown(ctx, changes.permissions ?? [])
  const before = await lockRole(ctx.tx, ctx.tenantId, id)
  refuseSystemRole(before, 'role.update')
  const { description = before.description, permissions = before.permissions } = changes
  if (changes.permissions) requireScope(ctx, permissions, before.scope)
  await requireMayChange(ctx, before, permissions)
  const patch = { name: before.name, ...renamed, description, permissions: sorted(permissions) }
  if (!differs(before, patch)) return present(ctx, before)
  const after = await onUnique(updateRole(ctx.tx, ctx.tenantId, id, { ...patch, updated_at: ctx.clock.now() }), {
    roles_name_key: nameTaken,
  })
  await ctx.emit(roleUpdated, { before: present(ctx, before), after: present(ctx, after) })
  await ctx.forget({ tenantId: ctx.tenantId })
  return present(ctx, after)
}

async function requireMayChange(ctx: Ctx, before: RoleRow, permissions: readonly string[]): Promise<void> {
  requireHoldsAll(ctx, [{ ...before, store_id: null }], 'role.update')
  requireHeld(ctx, permissions, null)
  if (before.permissions.every((code) => permissions.includes(code))) return
  requireHoldsAll(ctx, await listRolesOfHolders(ctx.tx, ctx.tenantId, before.id), 'role.update')
}

/**
 * Deletes a custom role whose permissions the caller holds. Throws 409 `role_in_use` while anything refers to it: an
 * assignment, an invitation, or a table of an application.
 */
export async function removeRole(ctx: Ctx, id: string): Promise<undefined> {
  const role = await lockRole(ctx.tx, ctx.tenantId, id)
  refuseSystemRole(role, 'role.delete')
  requireHoldsAll(ctx, [{ ...role, store_id: null }], 'role.delete')
  try {
    await deleteRole(ctx.tx, ctx.tenantId, id)
  } catch (error) {
    throw sqlState(error) === FOREIGN_KEY_VIOLATION ? roleInUse() : error
  }
  await ctx.emit(roleDeleted, { before: present(ctx, role) })
}

const FOREIGN_KEY_VIOLATION = '23503'

const present = (ctx: Ctx, role: RoleRow) => presentRole(role, catalogueOf(ctx))

function refuseSystemRole(role: RoleRow, permission: string): void {
  if (role.is_system) throw permissionDenied({ detail: 'System roles cannot be changed', members: { permission } })
}

/** A `check` for routes: problems with a role's permissions and name that its schema cannot express. */
export function* checkRole(body: Readonly<Record<string, unknown>>, core: Declared): Generator<FieldProblem> {
  const { permissions, name, scope } = body
  if (typeof name === 'string') yield* problemsOfName(name)
  if (!Array.isArray(permissions)) return
  yield* unknownCodes(core, permissions)
  if (scope === 'store') yield* codesBeyondStores(core, permissions)
}

function* unknownCodes(core: Declared, codes: readonly unknown[]): Generator<FieldProblem> {
  const { byCode } = catalogueOf(core)
  for (const [index, code] of codes.entries())
    if (typeof code === 'string' && !byCode.has(code)) yield at(`permissions/${index}`, 'is not a permission')
}

function requireKnown(ctx: Ctx, codes: readonly string[]): void {
  const errors = [...unknownCodes(ctx, codes)]
  if (errors.length > 0) throw invalidRequest({ errors })
}

function requireScope(ctx: Ctx, codes: readonly string[], scope: RoleRow['scope']): void {
  const errors = scope === 'tenant' ? [] : [...codesBeyondStores(ctx, codes)]
  if (errors.length > 0) throw invalidRequest({ errors })
}

/** Permissions that a role of scope `store` cannot have; unknown codes are reported elsewhere. */
function* codesBeyondStores(core: Declared, codes: readonly unknown[]): Generator<FieldProblem> {
  const { byCode } = catalogueOf(core)
  for (const [index, code] of codes.entries())
    if (typeof code === 'string' && byCode.get(code)?.scope === 'tenant')
      yield at(`permissions/${index}`, 'is held for the whole tenant alone, which this role is not')
}

const sorted = (codes: readonly string[]) => [...new Set(codes)].sort()

// Normalising can lengthen a text, and an index key has a maximum length.
const MAX_NAME_KEY = 200

/** The name as shown, and the key by which it is unique regardless of case, spacing and look-alike forms. */
function named(text: string): { name: string; name_key: string } {
  const name = tidyLine(text)
  const errors = problemsOfName(name)
  if (errors.length > 0) throw invalidRequest({ errors })
  const lookAlike = findLookAlike(name)
  if (lookAlike !== undefined)
    throw nameTaken({ errors: [at('name', `would be taken for the system role ${lookAlike}`)] })
  return { name, name_key: keyOfName(name) }
}

function problemsOfName(name: string): FieldProblem[] {
  return keyOfName(name).length > MAX_NAME_KEY ? [at('name', 'is too long when spelled out')] : []
}

function differs(before: RoleRow, patch: Pick<RoleRow, 'name' | 'description' | 'permissions'>): boolean {
  return (
    patch.name !== before.name ||
    patch.description !== before.description ||
    patch.permissions.join() !== before.permissions.join()
  )
}
