import type { Insertable } from 'kysely'
import type { InboundMessageTable, Tx } from '../db/tables.ts'

type Row = Insertable<InboundMessageTable>
type Key = Pick<Row, 'source' | 'message_id'>

/** False when it is there already. Waits for whoever is just storing the same. */
export async function insertInboundMessage(tx: Tx, tenantId: string | null, row: Row): Promise<boolean> {
  const query =
    tenantId === null
      ? tx.insertInto('global_inbound_messages').values(row)
      : tx.insertInto('inbound_messages').values({ tenant_id: tenantId, ...row })
  const { numInsertedOrUpdatedRows } = await query.onConflict((same) => same.doNothing()).executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** What the message contained when it first came. */
export function findInboundMessage(tx: Tx, tenantId: string | null, { source, message_id }: Key) {
  if (tenantId !== null)
    return tx
      .selectFrom('inbound_messages')
      .select('body_hash')
      .where('tenant_id', '=', tenantId)
      .where('source', '=', source)
      .where('message_id', '=', message_id)
      .executeTakeFirst()
  return tx
    .selectFrom('global_inbound_messages')
    .select('body_hash')
    .where('source', '=', source)
    .where('message_id', '=', message_id)
    .executeTakeFirst()
}
