import { type Insertable, json, sql, type Tx } from '#kernel'
import type { InvitationTable, InvitedRole } from './table.ts'

/** Invited people in the order of their ids, with their addresses. */
export const listInvitedAfter = (tx: Tx, tenantId: string, after: string, limit: number) =>
  tx
    .selectFrom('members as m')
    .innerJoin('users as u', 'u.id', 'm.id')
    .select(['m.id', 'm.name', 'm.seat_ends_at', 'u.email'])
    .where('m.tenant_id', '=', tenantId)
    .where('m.status', '=', 'invited')
    .where('m.id', '>', after)
    .orderBy('m.id')
    .limit(limit)
    .execute()

/** What these people were promised. */
export const listPromised = (
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<{ user_id: string; roles: InvitedRole[] }[]> =>
  tx
    .selectFrom('invitations')
    .select(['user_id', 'roles'])
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`user_id = any(${userIds}::uuid[])`)
    .execute()

export const deleteInvitationsOf = (tx: Tx, tenantId: string, userIds: readonly string[]): Promise<unknown> =>
  tx
    .deleteFrom('invitations')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`user_id = any(${userIds}::uuid[])`)
    .execute()

export const insertInvitations = (tx: Tx, rows: readonly Insertable<InvitationTable>[]): Promise<unknown> =>
  tx
    .insertInto('invitations')
    .values(rows.map((row) => ({ ...row, roles: json(row.roles) })))
    .execute()

/** Invited people count towards the plan until their invitations end. */
export const updateSeatsOfInvited = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`update members m set seat_ends_at = i.expires_at from invitations i
    where m.tenant_id = ${tenantId} and i.tenant_id = m.tenant_id and i.user_id = m.id and m.status = 'invited'`.execute(
    tx,
  )

/** Nobody holds anything any more. */
export const deleteAllAssignments = (tx: Tx, tenantId: string): Promise<unknown> =>
  tx.deleteFrom('role_assignments').where('tenant_id', '=', tenantId).execute()

/** The invitations that are open, by their ids. */
export const listOpenInvitations = (tx: Tx, tenantId: string, now: string) =>
  tx
    .selectFrom('invitations')
    .select(['id', 'user_id'])
    .where('tenant_id', '=', tenantId)
    .where('accepted_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('id')
    .execute()

/** The directory of everybody's tenants gets who belongs to this one. */
export const insertMissingMemberships = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`insert into user_tenants (user_id, tenant_id, joined_at)
    select m.id, m.tenant_id, m.joined_at from members m where m.tenant_id = ${tenantId} and m.status <> 'invited'
    on conflict do nothing returning 1`.execute(tx)

/** And loses who does not. */
export const deleteStrayMemberships = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`delete from user_tenants t where t.tenant_id = ${tenantId}
    and not exists (select from members m where m.tenant_id = ${tenantId} and m.id = t.user_id and m.status <> 'invited')`.execute(
    tx,
  )

/** Nobody holds anything who is in the tenant no more. */
export const deleteStrayAssignments = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`delete from role_assignments a where a.tenant_id = ${tenantId}
    and not exists (select from members m where m.tenant_id = ${tenantId} and m.id = a.user_id)`.execute(tx)
