import type { Insertable, Tx } from '#kernel'
import type { SessionTable } from '../table.ts'

/** As the system role: no request of anybody else opens one. */
export const insertImpersonation = (tx: Tx, session: Insertable<SessionTable>): Promise<unknown> =>
  tx.insertInto('sessions').values(session).execute()

/** A session in which an operator acts as somebody else, with both people and the operator's own session: one look-up. */
export const findImpersonation = (tx: Tx, id: string) =>
  tx
    .selectFrom('sessions as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .innerJoin('users as o', 'o.id', 's.operator_id')
    .innerJoin('sessions as own', 'own.id', 's.operator_session_id')
    .select(['s.user_id', 's.operator_id', 's.operator_session_id', 's.scope_tenant_id', 's.read_only'])
    .select(['s.created_at', 's.expires_at', 's.revoked_at'])
    .select(['u.name', 'u.status'])
    .select(['o.name as operator_name', 'o.status as operator_status', 'o.is_super_admin', 'o.operator_roles'])
    .select(['own.user_id as own_user_id', 'own.revoked_at as own_revoked_at', 'own.expires_at as own_expires_at'])
    .where('s.id', '=', id)
    .executeTakeFirst()

export type FoundImpersonation = NonNullable<Awaited<ReturnType<typeof findImpersonation>>>

/** Removes sessions in which operators acted as somebody of a tenant, so many at most. As the system role. */
export async function deleteImpersonationsIn(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('sessions').select('id').where('scope_tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx.deleteFrom('sessions').where('id', 'in', some).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
