import { type Holding, sql, type Tx } from '#kernel'

/** The directory of the tenants of people, and where they were last. */
export const userHoldings: readonly Holding[] = [
  { table: 'user_tenants', columns: ['tenant_id'], remove: deleteUserTenants },
  { table: 'user_logins', columns: ['last_tenant_id'], remove: updateLoginsForgotten },
]

async function deleteUserTenants(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('user_tenants').select('user_id').where('tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx
    .deleteFrom('user_tenants')
    .where('tenant_id', '=', tenantId)
    .where('user_id', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

async function updateLoginsForgotten(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('user_logins').select('user_id').where('last_tenant_id', '=', tenantId).limit(most)
  const { numUpdatedRows } = await tx
    .updateTable('user_logins')
    .set({ last_tenant_id: null })
    .where('last_tenant_id', '=', tenantId)
    .where('user_id', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/**
 * Removes an account that nobody has ever used: no sign-in, no tenant, no picture, no role of an operator. False for any other. Takes a
 * transaction of the system role. Throws 23503 for one that something else refers to, such as an invitation to another tenant.
 */
export async function deleteUnusedUser(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('users')
    .where('id', '=', id)
    .where('is_super_admin', '=', false)
    .where(sql<boolean>`operator_roles = '{}'`)
    .where('avatar_id', 'is', null)
    .where(sql<boolean>`not exists (select from user_logins l where l.user_id = users.id)`)
    .where(sql<boolean>`not exists (select from user_tenants t where t.user_id = users.id)`)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}
