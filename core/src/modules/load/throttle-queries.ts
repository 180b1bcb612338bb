import type { Tx } from '#kernel'
import type { NewThrottle, ThrottleRow } from './table.ts'

export function findThrottleRow(tx: Tx, tenantId: string): Promise<ThrottleRow | undefined> {
  return tx.selectFrom('tenant_throttles').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
}

/** In the place of whatever there was. For the system role. */
export function upsertThrottle(tx: Tx, throttle: NewThrottle): Promise<ThrottleRow> {
  return tx
    .insertInto('tenant_throttles')
    .values(throttle)
    .onConflict((same) =>
      same.column('tenant_id').doUpdateSet((eb) => ({
        requests_per_minute: eb.ref('excluded.requests_per_minute'),
        until: eb.ref('excluded.until'),
        reason: eb.ref('excluded.reason'),
        created_at: eb.ref('excluded.created_at'),
      })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** For the system role. */
export async function deleteThrottle(tx: Tx, tenantId: string): Promise<void> {
  await tx.deleteFrom('tenant_throttles').where('tenant_id', '=', tenantId).execute()
}
