import { containing, type Insertable, json, preparedList, sql, type Tx, type Updateable } from '#kernel'
import type { MemberFilter } from './schema.ts'
import type { InvitationRoleTable, InvitationRow, InvitationTable, MemberRow, MemberTable } from './table.ts'

/** The membership, whatever its status. */
export const findMember = (tx: Tx, tenantId: string, userId: string): Promise<MemberRow | undefined> =>
  tx.selectFrom('members').selectAll().where('tenant_id', '=', tenantId).where('id', '=', userId).executeTakeFirst()

/** The tenants, of these, in which a person is an active member. Reads across tenants: for the system role. */
export const listActiveAmong = (tx: Tx, tenantIds: readonly string[], userId: string) =>
  tx
    .selectFrom('members')
    .select('tenant_id')
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where('id', '=', userId)
    .where('status', '=', 'active')
    .execute()

/** The roles that a person holds in these tenants, oldest first. Reads across tenants, as above. */
export const listAssignmentsAmong = (tx: Tx, tenantIds: readonly string[], userId: string) =>
  tx
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .select(['a.tenant_id', 'a.user_id', 'a.role_id', 'r.name', 'a.store_id'])
    .where(sql<boolean>`a.tenant_id = any(${tenantIds}::uuid[])`)
    .where('a.user_id', '=', userId)
    .orderBy('a.id')
    .execute()

/**
 * All that a person belongs to or is invited to, the oldest first, with the tenants; so many at most, and how many there are.
 * Reads across tenants, as above.
 */
export const listMembershipsOf = (tx: Tx, userId: string, limit: number) =>
  tx
    .selectFrom('members as m')
    .innerJoin('tenants as t', 't.id', 'm.tenant_id')
    .select(['m.tenant_id', 'm.status', 'm.joined_at', 't.name', 't.slug', 't.status as tenant_status'])
    .select(sql<number>`count(*) over ()`.as('total'))
    .where('m.id', '=', userId)
    .orderBy('m.joined_at')
    .orderBy('m.tenant_id')
    .limit(limit)
    .execute()

/** The memberships of these people in one tenant, whatever their status; unordered. */
export const listMembersAmong = (tx: Tx, tenantId: string, userIds: readonly string[]) =>
  tx
    .selectFrom('members')
    .select(['id', 'status'])
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${userIds}::uuid[])`)
    .execute()

/** The membership, locked until the transaction ends. */
export const lockMember = (tx: Tx, tenantId: string, userId: string): Promise<MemberRow | undefined> =>
  tx
    .selectFrom('members')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .forNoKeyUpdate()
    .executeTakeFirst()

/** Adds a membership; undefined when there is one already. */
export const insertMember = (tx: Tx, member: Insertable<MemberTable>): Promise<MemberRow | undefined> =>
  tx
    .insertInto('members')
    .values(member)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateMember = (tx: Tx, tenantId: string, userId: string, patch: Updateable<MemberTable>) =>
  tx
    .updateTable('members')
    .set(patch)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Deletes the membership and with it the person's invitation. */
export const deleteMember = (tx: Tx, tenantId: string, userId: string) =>
  tx.deleteFrom('members').where('tenant_id', '=', tenantId).where('id', '=', userId).execute()

/** A caller who sees only `stores` filters only by roles that they can see. */
export interface VisibleFilter extends MemberFilter {
  stores?: readonly string[] | undefined
}

/** The members that match a filter, unordered. */
export function selectMembers(tx: Tx, tenantId: string, filter: VisibleFilter) {
  const { q, status, role_id, store_id, stores } = filter
  const visible = () => selectVisibleRoles(tx, stores)
  let query = tx
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.id')
    .leftJoin('user_logins', 'user_logins.user_id', 'members.id')
    .selectAll('members')
    .select(['users.email', 'users.avatar_id', 'user_logins.last_login_at'])
    .where('members.tenant_id', '=', tenantId)
  if (status) query = query.where('members.status', '=', status)
  if (role_id) query = query.where(({ exists }) => exists(visible().where('a.role_id', '=', role_id)))
  if (store_id) query = query.where(({ exists }) => exists(visible().where('a.store_id', '=', store_id)))
  if (q === undefined) return query
  const text = sql<string>`concat_ws(' ', members.name, users.email, members.job_title)`
  return query.where(text, 'ilike', containing(q))
}

/** The same for `page`. */
export const listMembers = preparedList(selectMembers)

/** For EXISTS with `members`: a member's roles that a caller limited to these stores can see. */
function selectVisibleRoles(tx: Tx, stores: readonly string[] | undefined) {
  const all = tx
    .selectFrom('role_assignments as a')
    .select(sql`1`.as('one'))
    .whereRef('a.tenant_id', '=', sql.ref('members.tenant_id'))
    .whereRef('a.user_id', '=', sql.ref('members.id'))
  if (!stores) return all
  // One array parameter instead of a list: the list may be empty, and each length would be another statement.
  return all.where(({ or, eb }) =>
    or([eb('a.store_id', 'is', null), sql<boolean>`a.store_id = any(${stores}::uuid[])`]),
  )
}

/** How lists of members are ordered, for `page`. */
export const NEWEST_FIRST = {
  by: [
    { column: 'members.created_at', as: 'created_at' },
    { column: 'members.id', as: 'id' },
  ],
} as const // the literal names are names of columns

/** The active members who hold the role for the whole tenant, oldest membership first. */
export const listActiveHolders = (tx: Tx, tenantId: string, roleId: string) =>
  tx
    .selectFrom('role_assignments as a')
    .innerJoin('members as m', (join) => join.onRef('m.tenant_id', '=', 'a.tenant_id').onRef('m.id', '=', 'a.user_id'))
    .select('m.id')
    .where('a.tenant_id', '=', tenantId)
    .where('a.role_id', '=', roleId)
    .where('a.store_id', 'is', null)
    .where('m.status', '=', 'active')
    .orderBy('m.joined_at')
    .orderBy('m.id')
    .execute()

/** The invitation of a token with this hash, accepted or not; undefined when the token is not known (any more). */
export const findInvitation = (tx: Tx, tenantId: string, tokenHash: Buffer): Promise<InvitationRow | undefined> =>
  tx
    .selectFrom('invitations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst()

/** An invitation that nobody has accepted yet, locked until the transaction ends. */
export const lockPendingInvitation = (tx: Tx, tenantId: string, id: string): Promise<InvitationRow | undefined> =>
  tx
    .selectFrom('invitations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('accepted_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()

/** The person's invitation, in any state. */
export const findInvitationOf = (tx: Tx, tenantId: string, userId: string): Promise<InvitationRow | undefined> =>
  tx
    .selectFrom('invitations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .executeTakeFirst()

const lockPending = (tx: Tx, tenantId: string) => selectPendingInvitations(tx, tenantId).orderBy('id').forNoKeyUpdate()

/** The invitations that somebody has sent and nobody has accepted yet, locked until the transaction ends. */
export const lockPendingOf = (tx: Tx, tenantId: string, senderId: string): Promise<InvitationRow[]> =>
  lockPending(tx, tenantId).where('invited_by', '=', senderId).execute()

/** The same for what holders of a role have sent. */
export const lockPendingOfHolders = (tx: Tx, tenantId: string, roleId: string): Promise<InvitationRow[]> =>
  lockPending(tx, tenantId)
    .where('invited_by', 'in', (eb) =>
      eb
        .selectFrom('role_assignments as a')
        .select('a.user_id')
        .where('a.tenant_id', '=', tenantId)
        .where('a.role_id', '=', roleId),
    )
    .execute()

/** The same for what promises a role in a store. */
export const lockPendingInStore = (tx: Tx, tenantId: string, storeId: string): Promise<InvitationRow[]> =>
  lockPending(tx, tenantId)
    .where(sql<boolean>`roles @> ${json([{ store_id: storeId }])}`)
    .execute()

/** The invitations that nobody has accepted yet; unordered. */
const selectPendingInvitations = (tx: Tx, tenantId: string) =>
  tx.selectFrom('invitations').selectAll().where('tenant_id', '=', tenantId).where('accepted_at', 'is', null)

/** The same for `page`. */
export const listPendingInvitations = preparedList(selectPendingInvitations)

export const insertInvitation = (tx: Tx, invitation: Insertable<InvitationTable>): Promise<InvitationRow> =>
  tx
    .insertInto('invitations')
    .values({ ...invitation, roles: json(invitation.roles) })
    .returningAll()
    .executeTakeFirstOrThrow()

export const insertInvitationRoles = (tx: Tx, rows: Insertable<InvitationRoleTable>[]): Promise<unknown> =>
  tx.insertInto('invitation_roles').values(rows).execute()

export const deleteInvitationRoles = (tx: Tx, tenantId: string, invitationId: string): Promise<unknown> =>
  tx
    .deleteFrom('invitation_roles')
    .where('tenant_id', '=', tenantId)
    .where('invitation_id', '=', invitationId)
    .execute()

/** Changes of an invitation; its roles are always given. */
export type InvitationPatch = Updateable<InvitationTable> & Pick<InvitationRow, 'roles'>

export const updateInvitation = (tx: Tx, tenantId: string, id: string, { roles, ...patch }: InvitationPatch) =>
  tx
    .updateTable('invitations')
    .set({ ...patch, roles: json(roles) })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Renews the person's invitation if it has run out unaccepted; undefined when it has not. */
export const updateExpiredInvitation = (
  tx: Tx,
  { tenantId, userId, now }: { tenantId: string; userId: string; now: string },
  { roles, ...patch }: InvitationPatch,
): Promise<InvitationRow | undefined> =>
  tx
    .updateTable('invitations')
    .set({ ...patch, roles: json(roles) })
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('accepted_at', 'is', null)
    .where('expires_at', '<=', now)
    .returningAll()
    .executeTakeFirst()

/** Marks an invitation accepted, once, by the token in the latest mail; undefined when that cannot be any more. */
export const updateInvitationAccepted = (
  tx: Tx,
  { tenant_id, id, token_hash }: InvitationRow,
  now: string,
): Promise<InvitationRow | undefined> =>
  tx
    .updateTable('invitations')
    .set({ accepted_at: now, updated_at: now })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('token_hash', '=', token_hash)
    .where('accepted_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
