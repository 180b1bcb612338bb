import { type Insertable, notFound, type SweepPage, sql, type Tx } from '#kernel'
import type { MailChange } from './states.ts'
import type { MailRow, MailSuppressionTable, SuppressionRow } from './table.ts'

/** The table of the mails of a tenant or, for null, of those without one. */
function placeOf(tenantId: string | null) {
  // A tenant's table has all the columns of the other, and its own.
  const table = (tenantId === null ? 'global_mails' : 'mails') as 'global_mails'
  return { table, own: tenantId === null ? sql<boolean>`true` : sql<boolean>`tenant_id = ${tenantId}` }
}

const selectMails = (tx: Tx, tenantId: string | null) => {
  const { table, own } = placeOf(tenantId)
  return tx.selectFrom(table).selectAll().where(own)
}

/** Undefined where the mail is a copy of one of which another copy waits. */
export function insertMail(tx: Tx, tenantId: string | null, mail: MailRow): Promise<unknown> {
  const { table } = placeOf(tenantId)
  const row = tenantId === null ? mail : { tenant_id: tenantId, ...mail }
  return tx.insertInto(table).values(row).execute()
}

/** Locks the mail until the transaction ends; undefined when there is none. */
export const lockMail = (tx: Tx, tenantId: string | null, id: string): Promise<MailRow | undefined> =>
  selectMails(tx, tenantId).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

export function updateMail(tx: Tx, tenantId: string | null, id: string, change: MailChange): Promise<MailRow> {
  const { table, own } = placeOf(tenantId)
  const query = tx.updateTable(table).set(change).where(own).where('id', '=', id)
  return query.returningAll().executeTakeFirstOrThrow(() => notFound())
}

/** The address on the tenant's suppression list; undefined when it is not there. */
export const findSuppression = (tx: Tx, tenantId: string, email: string): Promise<SuppressionRow | undefined> =>
  tx
    .selectFrom('mail_suppressions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('email', '=', email)
    .executeTakeFirst()

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

export interface DeadAddress {
  key: string
  server_reply: string | null
  bounced_at: string
}

export const findDeadAddress = (tx: Tx, key: string): Promise<DeadAddress | undefined> =>
  tx.selectFrom('dead_addresses').selectAll().where('key', '=', key).executeTakeFirst()

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

/** Across tenants, by their ids: those that have mails from before that moment. */
export async function listTenantsWithMailsBefore(tx: Tx, { before, after, limit }: SweepPage & { before: string }) {
  const query = tx
    .selectFrom('mails')
    .select('tenant_id')
    .distinct()
    .where('created_at', '<', before)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}
