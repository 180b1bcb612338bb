import { containing, type Insertable, notFound, prepared, preparedList, sql, type Tx, type Updateable } from '#kernel'
import type { SystemRoleKey } from './system-roles.ts'
import type { RoleAssignmentRow, RoleAssignmentTable, RoleRow, RoleTable } from './table.ts'

/** The tenant's role with that id, or undefined. */
export const findRole = (tx: Tx, tenantId: string, id: string): Promise<RoleRow | undefined> =>
  tx.selectFrom('roles').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id).executeTakeFirst()

/** The tenant's role with that id; throws 404. */
export async function getRole(tx: Tx, tenantId: string, id: string): Promise<RoleRow> {
  const role = await findRole(tx, tenantId, id)
  if (!role) throw notFound()
  return role
}

/** The tenant's role whose name has this key, or undefined. */
export const findRoleByNameKey = (tx: Tx, tenantId: string, nameKey: string): Promise<RoleRow | undefined> =>
  tx
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name_key', '=', nameKey)
    .executeTakeFirst()

/** The role, locked against changes until the transaction ends; it can still be assigned. Throws 404. */
export async function lockRole(tx: Tx, tenantId: string, id: string): Promise<RoleRow> {
  const role = await tx
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!role) throw notFound()
  return role
}

/** The tenant's built-in role of that key. Every tenant has each from its founding on. */
export const getSystemRole = (tx: Tx, tenantId: string, key: SystemRoleKey): Promise<RoleRow> =>
  tx.selectFrom('roles').selectAll().where('tenant_id', '=', tenantId).where('key', '=', key).executeTakeFirstOrThrow()

export const insertRole = (tx: Tx, role: Insertable<RoleTable>): Promise<RoleRow> =>
  tx.insertInto('roles').values(role).returningAll().executeTakeFirstOrThrow()

export const insertRoles = (tx: Tx, roles: Insertable<RoleTable>[]): Promise<unknown> =>
  tx.insertInto('roles').values(roles).execute()

export const updateRole = (tx: Tx, tenantId: string, id: string, patch: Updateable<RoleTable>): Promise<RoleRow> =>
  tx
    .updateTable('roles')
    .set(patch)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Undefined when it is gone already. */
export const deleteRole = (tx: Tx, tenantId: string, id: string): Promise<RoleRow | undefined> =>
  tx.deleteFrom('roles').where('tenant_id', '=', tenantId).where('id', '=', id).returningAll().executeTakeFirst()

/** The roles of a tenant that match; unordered, for `page`. */
export const listRoles = preparedList((tx, tenantId, filter: { scope?: RoleRow['scope']; q?: string }) => {
  let query = tx.selectFrom('roles').selectAll().where('tenant_id', '=', tenantId)
  if (filter.scope !== undefined) query = query.where('scope', '=', filter.scope)
  if (filter.q) {
    const like = containing(filter.q)
    query = query.where((eb) => eb.or([eb('name', 'ilike', like), eb('description', 'ilike', like)]))
  }
  return query
})

/** Every role of a tenant, with the fields that decide its permissions. */
export const listAllRoles = (tx: Tx, tenantId: string) =>
  tx.selectFrom('roles').select(['id', 'key', 'permissions']).where('tenant_id', '=', tenantId).execute()

export interface HeldRole {
  user_id: string
  role_id: string
  name: string
  store_id: string | null
}

/** What these people hold, oldest first. */
export const listAssignments = prepared((tx: Tx, tenantId: string, userIds: readonly string[]) =>
  tx
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .select(['a.user_id', 'a.role_id', 'r.name', 'a.store_id'])
    .where('a.tenant_id', '=', tenantId)
    .where(sql<boolean>`a.user_id = any(${userIds}::uuid[])`)
    .orderBy('a.id'),
)

/** Each role that a person holds, with the fields that decide its permissions. */
export const listHeldRoles = (tx: Tx, tenantId: string, userId: string) =>
  tx
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .select(['a.store_id', 'a.role_id', 'r.name', 'r.key', 'r.permissions'])
    .where('a.tenant_id', '=', tenantId)
    .where('a.user_id', '=', userId)
    .orderBy('a.id')
    .execute()

/** Each distinct role and place held by any holder of this role, this role included. */
export const listRolesOfHolders = (tx: Tx, tenantId: string, roleId: string) =>
  tx
    .selectFrom('role_assignments as holder')
    .innerJoin('role_assignments as a', (join) =>
      join.onRef('a.tenant_id', '=', 'holder.tenant_id').onRef('a.user_id', '=', 'holder.user_id'),
    )
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .select(['a.store_id', 'r.key', 'r.permissions'])
    .where('holder.tenant_id', '=', tenantId)
    .where('holder.role_id', '=', roleId)
    .distinct()
    .execute()

/** Undefined when the person holds it already. */
export const insertAssignment = (
  tx: Tx,
  assignment: Insertable<RoleAssignmentTable>,
): Promise<RoleAssignmentRow | undefined> =>
  tx
    .insertInto('role_assignments')
    .values(assignment)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()

/** Undefined when the person does not hold it. */
export const deleteAssignment = (
  tx: Tx,
  tenantId: string,
  { userId, roleId, storeId }: { userId: string; roleId: string; storeId: string | null },
): Promise<RoleAssignmentRow | undefined> =>
  tx
    .deleteFrom('role_assignments')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('role_id', '=', roleId)
    .where('store_id', storeId === null ? 'is' : '=', storeId)
    .returningAll()
    .executeTakeFirst()

export const deleteAssignments = (tx: Tx, tenantId: string, userId: string): Promise<RoleAssignmentRow[]> =>
  tx
    .deleteFrom('role_assignments')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .returningAll()
    .execute()
