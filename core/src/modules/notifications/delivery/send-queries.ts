import type { Insertable, Tx } from '#kernel'
import type { NotificationSendTable, SendRow } from '../table.ts'

export const insertSends = (tx: Tx, rows: readonly Insertable<NotificationSendTable>[]): Promise<unknown> =>
  tx.insertInto('notification_sends').values(rows).execute()

export const findSend = (tx: Tx, tenantId: string, id: string): Promise<SendRow | undefined> =>
  tx
    .selectFrom('notification_sends')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()

/** Undefined when it is done already. */
export const deleteSend = (tx: Tx, tenantId: string, id: string): Promise<SendRow | undefined> =>
  tx
    .deleteFrom('notification_sends')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()

/** All that waits for a person's digest; gone with that. */
export const deleteDigest = (tx: Tx, tenantId: string, userId: string): Promise<SendRow[]> =>
  tx
    .deleteFrom('notification_sends')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('is_digest', '=', true)
    .returningAll()
    .execute()

/** All that waits for a person. */
export const deleteSendsOf = (tx: Tx, tenantId: string, userId: string): Promise<unknown> =>
  tx.deleteFrom('notification_sends').where('tenant_id', '=', tenantId).where('user_id', '=', userId).execute()
