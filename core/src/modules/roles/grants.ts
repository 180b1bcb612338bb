import type { Ctx, Declared, Grant, GrantSource, Tx } from '#kernel'
import { catalogueOf, effectivePermissions } from './catalogue.ts'
import { listAllRoles, listHeldRoles } from './queries.ts'

/** A person's grants in a tenant: one for each role that they hold there. One query. */
export async function listGrants(tx: Tx, core: Declared, tenantId: string, userId: string): Promise<Grant[]> {
  const catalogue = catalogueOf(core)
  const held = await listHeldRoles(tx, tenantId, userId)
  return held.map((role) => ({
    permissions: effectivePermissions(catalogue, role, role.store_id),
    storeId: role.store_id,
    roleId: role.role_id,
    role: role.name,
  }))
}

/** Ids of the roles that grant a permission where they are held: in the store, or for the whole tenant (null). */
export async function listRolesWith(ctx: Ctx, permission: string, storeId: string | null): Promise<string[]> {
  const catalogue = catalogueOf(ctx)
  const all = await listAllRoles(ctx.tx, ctx.tenantId)
  return all.filter((role) => effectivePermissions(catalogue, role, storeId).includes(permission)).map(({ id }) => id)
}

/** The module's answer to *what may they do?* */
export const roleGrants: GrantSource = async (tx, { tenantId, userId }, core) =>
  tenantId === null || userId === null ? [] : listGrants(tx, core, tenantId, userId)
