import { type Insertable, sql, type Tx } from '#kernel'
import { comparable } from './new-mail.ts'
import type { SuppressionFilter } from './schema.ts'
import type { MailSuppressionTable, SuppressionRow } from './table.ts'

/** Those of the addresses that are on the tenant's suppression list. */
export const listSuppressed = (tx: Tx, tenantId: string, emails: readonly string[]): Promise<SuppressionRow[]> =>
  tx
    .selectFrom('mail_suppressions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('email', '=', sql<string>`any(${emails}::text[])`)
    .execute()

/** Puts an address on the list, where a complaint stands above a bounce; undefined when nothing has changed. */
export const upsertSuppression = (
  tx: Tx,
  suppression: Insertable<MailSuppressionTable>,
): Promise<SuppressionRow | undefined> =>
  tx
    .insertInto('mail_suppressions')
    .values(suppression)
    .onConflict((same) =>
      same
        .columns(['tenant_id', 'email'])
        .doUpdateSet((eb) => ({
          reason: eb.ref('excluded.reason'),
          server_reply: eb.ref('excluded.server_reply'),
          mail_id: eb.ref('excluded.mail_id'),
          updated_at: eb.ref('excluded.updated_at'),
        }))
        .where('mail_suppressions.reason', '=', 'hard_bounce')
        .whereRef('mail_suppressions.reason', '<>', sql.ref('excluded.reason')),
    )
    .returningAll()
    .executeTakeFirst()

/** Unordered and unbounded, for `page`. */
export function listSuppressions(tx: Tx, tenantId: string, { email }: SuppressionFilter) {
  const query = tx.selectFrom('mail_suppressions').selectAll().where('tenant_id', '=', tenantId)
  return email ? query.where('email', '=', comparable(email)) : query
}

/** Undefined when there was none. */
export const deleteSuppression = (tx: Tx, tenantId: string, id: string): Promise<SuppressionRow | undefined> =>
  tx
    .deleteFrom('mail_suppressions')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()

export interface DeadAddress {
  key: string
  server_reply: string | null
  bounced_at: string
}

export const listDeadAddresses = (tx: Tx, keys: readonly string[]): Promise<DeadAddress[]> =>
  tx.selectFrom('dead_addresses').selectAll().where('key', '=', sql<string>`any(${keys}::text[])`).execute()

export const upsertDeadAddress = (tx: Tx, address: DeadAddress): Promise<unknown> =>
  tx
    .insertInto('dead_addresses')
    .values(address)
    .onConflict((same) =>
      same.column('key').doUpdateSet((eb) => ({
        server_reply: eb.ref('excluded.server_reply'),
        bounced_at: eb.ref('excluded.bounced_at'),
      })),
    )
    .execute()

export const deleteDeadAddress = (tx: Tx, key: string): Promise<unknown> =>
  tx.deleteFrom('dead_addresses').where('key', '=', key).execute()

export const deleteDeadAddressesBefore = (tx: Tx, before: string): Promise<unknown> =>
  tx.deleteFrom('dead_addresses').where('bounced_at', '<', before).execute()

/** Locks the pauses of these keys, in their order, until the transaction ends; makes those that are not there. */
export const lockPauses = (tx: Tx, keys: readonly string[], now: string): Promise<{ key: string; taken: string[] }[]> =>
  tx
    .insertInto('mail_pauses')
    .values(keys.map((key) => ({ key, taken: sql<string[]>`'[]'::jsonb`, ends_at: now })))
    .onConflict((same) => same.column('key').doUpdateSet((eb) => ({ key: eb.ref('excluded.key') })))
    .returning(['key', 'taken'])
    .execute()

export const updatePause = (tx: Tx, { key, taken, ends_at }: { key: string; taken: string[]; ends_at: string }) =>
  tx
    .updateTable('mail_pauses')
    .set({ taken: sql<string[]>`cast(${JSON.stringify(taken)} as jsonb)`, ends_at })
    .where('key', '=', key)
    .execute()

export const deletePauses = (tx: Tx, keys: readonly string[]): Promise<unknown> =>
  tx.deleteFrom('mail_pauses').where('key', 'in', keys).execute()

export const deletePausesBefore = (tx: Tx, now: string): Promise<unknown> =>
  tx.deleteFrom('mail_pauses').where('ends_at', '<=', now).execute()
