import { type Insertable, sql, type Tx } from '#kernel'
import type { PushSubscriptionRow, PushSubscriptionTable } from './table.ts'

/** Adds a browser, or has the one of that address belong to this person and session; `xmax` 0: it is new. */
export async function upsertSubscription(
  tx: Tx,
  row: Insertable<PushSubscriptionTable>,
): Promise<{ row: PushSubscriptionRow; isNew: boolean }> {
  const found = await tx
    .insertInto('push_subscriptions')
    .values(row)
    .onConflict((same) =>
      same.columns(['tenant_id', 'endpoint_hash']).doUpdateSet({
        user_id: sql<string>`excluded.user_id`,
        session_id: sql<string>`excluded.session_id`,
        updated_at: sql<string>`excluded.updated_at`,
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
  return { row: found, isNew: found.id === row.id }
}

export const updateSealed = (
  tx: Tx,
  { tenant_id, id }: Pick<PushSubscriptionRow, 'tenant_id' | 'id'>,
  sealed: string,
): Promise<unknown> =>
  tx.updateTable('push_subscriptions').set({ sealed }).where('tenant_id', '=', tenant_id).where('id', '=', id).execute()

export const findSubscription = (tx: Tx, tenantId: string, id: string): Promise<PushSubscriptionRow | undefined> =>
  tx
    .selectFrom('push_subscriptions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()

/** A person's browsers, the one last used first. */
export const listSubscriptions = (tx: Tx, tenantId: string, userId: string): Promise<PushSubscriptionRow[]> =>
  tx
    .selectFrom('push_subscriptions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .execute()

/** Which of these people have a browser that is told. */
export async function listSubscribers(tx: Tx, tenantId: string, userIds: readonly string[]): Promise<string[]> {
  const rows = await tx
    .selectFrom('push_subscriptions')
    .select('user_id')
    .distinct()
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`user_id = any(${userIds}::uuid[])`)
    .execute()
  return rows.map(({ user_id }) => user_id)
}

/** Undefined when it is gone already. */
export const deleteSubscription = (tx: Tx, tenantId: string, id: string): Promise<PushSubscriptionRow | undefined> =>
  tx
    .deleteFrom('push_subscriptions')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
