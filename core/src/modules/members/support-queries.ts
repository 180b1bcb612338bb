import { sql, type Tx } from '#kernel'

// Across tenants: for the system role.

/** The tenants that somebody is a member of or invited to: first those where they are active, the newest first. */
export const listTenantsOf = async (tx: Tx, userId: string, limit: number): Promise<string[]> =>
  (
    await tx
      .selectFrom('members')
      .select('tenant_id')
      .where('id', '=', userId)
      .orderBy(sql`status = 'active'`, 'desc')
      .orderBy('joined_at', 'desc')
      .orderBy('tenant_id')
      .limit(limit)
      .execute()
  ).map(({ tenant_id }) => tenant_id)

/** What somebody is in each of these tenants. */
export const listMembershipsIn = (tx: Tx, tenantIds: readonly string[], userId: string) =>
  tx
    .selectFrom('members')
    .select(['tenant_id', 'status', 'joined_at', 'updated_at'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where('id', '=', userId)
    .orderBy('joined_at', 'desc')
    .orderBy('tenant_id')
    .execute()

/** The roles that somebody holds in these tenants, with the state of the store that each is held in. */
export const listRolesIn = (tx: Tx, tenantIds: readonly string[], userId: string, limit: number) =>
  tx
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .leftJoin('stores as s', (join) => join.onRef('s.tenant_id', '=', 'a.tenant_id').onRef('s.id', '=', 'a.store_id'))
    .select(['a.tenant_id', 'r.name as role', 'a.store_id', 's.status as store_status'])
    .where(sql<boolean>`a.tenant_id = any(${tenantIds}::uuid[])`)
    .where('a.user_id', '=', userId)
    .orderBy('a.tenant_id')
    .orderBy('a.id')
    .limit(limit)
    .execute()

/** The invitations of somebody in these tenants that nobody has accepted. */
export const listInvitationsIn = (tx: Tx, tenantIds: readonly string[], userId: string) =>
  tx
    .selectFrom('invitations')
    .select(['tenant_id', 'sent_at', 'expires_at'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where('user_id', '=', userId)
    .where('accepted_at', 'is', null)
    .orderBy('sent_at', 'desc')
    .execute()

/** Where somebody was a member lately, and is no more: in one tenant, or in any. */
export const listDepartures = (tx: Tx, userId: string, tenantId: string | null, limit: number) => {
  const all = tx
    .selectFrom('member_departures as d')
    .select(['d.tenant_id', 'd.left_at'])
    .where('d.user_id', '=', userId)
    .where(sql<boolean>`not exists (select from members as m where m.tenant_id = d.tenant_id and m.id = d.user_id)`)
    .orderBy('d.left_at', 'desc')
    .limit(limit)
  return (tenantId === null ? all : all.where('d.tenant_id', '=', tenantId)).execute()
}

/** Whether a store is open; undefined when the tenant has no such store. */
export const findStoreStatus = (tx: Tx, tenantId: string, storeId: string) =>
  tx
    .selectFrom('stores')
    .select('status')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', storeId)
    .executeTakeFirst()
