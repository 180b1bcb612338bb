import type { Insertable, Tx } from '#kernel'
import type { MemberDepartureTable } from './table.ts'

/** Notes that somebody is a member no longer, the last time counting. */
export const upsertDeparture = (tx: Tx, departure: Insertable<MemberDepartureTable>): Promise<unknown> =>
  tx
    .insertInto('member_departures')
    .values(departure)
    .onConflict((same) =>
      same.columns(['user_id', 'tenant_id']).doUpdateSet((eb) => ({ left_at: eb.ref('excluded.left_at') })),
    )
    .execute()

export const deleteDeparturesBefore = (tx: Tx, before: string): Promise<unknown> =>
  tx.deleteFrom('member_departures').where('left_at', '<', before).execute()

/** Forgets who was a member of a tenant, so many at most. */
export async function deleteDeparturesFrom(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('member_departures').select('user_id').where('tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx
    .deleteFrom('member_departures')
    .where('tenant_id', '=', tenantId)
    .where('user_id', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
