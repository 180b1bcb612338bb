import { type Insertable, json, sql, type Tx } from '#kernel'
import type { NotificationPreferenceTable, PreferenceRow } from '../table.ts'

export const findPreferences = (tx: Tx, tenantId: string, userId: string): Promise<PreferenceRow | undefined> =>
  tx
    .selectFrom('notification_preferences')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .executeTakeFirst()

/** The preferences of these people, by their ids. */
export async function listPreferences(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, PreferenceRow>> {
  const rows = await tx
    .selectFrom('notification_preferences')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${userIds}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

type NewPreferences = Insertable<NotificationPreferenceTable>

const stored = ({ kinds, quiet_hours, ...row }: NewPreferences) => ({
  ...row,
  kinds: json(kinds),
  quiet_hours: quiet_hours === null ? null : json(quiet_hours),
})

/** Adds preferences where there are none, so that there is a row to lock. */
export const insertPreferences = (tx: Tx, row: NewPreferences): Promise<unknown> =>
  tx
    .insertInto('notification_preferences')
    .values(stored(row))
    .onConflict((same) => same.columns(['tenant_id', 'id']).doNothing())
    .execute()

/** A person's preferences, locked until the transaction ends; they are there. */
export const lockPreferences = (tx: Tx, tenantId: string, userId: string): Promise<PreferenceRow> =>
  tx
    .selectFrom('notification_preferences')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .forUpdate()
    .executeTakeFirstOrThrow()

export const updatePreferences = (tx: Tx, { tenant_id, id, ...row }: PreferenceRow): Promise<unknown> => {
  const { kinds, quiet_hours } = stored({ tenant_id, id, ...row })
  return tx
    .updateTable('notification_preferences')
    .set({ kinds, quiet_hours, updated_at: row.updated_at })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .execute()
}
