import { notFound, type SweepPage, sql, type Tx } from '#kernel'
import { comparable } from './new-mail.ts'
import type { MailFilter } from './schema.ts'
import type { MailChange } from './states.ts'
import type { MailRow } from './table.ts'

/** The table of the mails of a tenant or, for null, of those without one. */
function placeOf(tenantId: string | null) {
  // A tenant's table has all the columns of the other, and its own.
  const table = (tenantId === null ? 'global_mails' : 'mails') as 'global_mails'
  return { table, own: tenantId === null ? sql<boolean>`true` : sql<boolean>`tenant_id = ${tenantId}` }
}

const anyOf = (ids: readonly string[]) => sql<string>`any(${ids}::uuid[])`

const selectMails = (tx: Tx, tenantId: string | null) => {
  const { table, own } = placeOf(tenantId)
  return tx.selectFrom(table).selectAll().where(own)
}

/** Unordered and unbounded, for `page`. */
export function listMails(tx: Tx, tenantId: string | null, { status, to, kind, since, until }: MailFilter) {
  let query = selectMails(tx, tenantId)
  if (status) query = query.where('status', '=', sql.lit(status))
  if (to) query = query.where('address', '=', comparable(to))
  if (kind) query = query.where('kind', '=', kind)
  if (since) query = query.where('created_at', '>=', since)
  return until ? query.where('created_at', '<', until) : query
}

/** Undefined when there is none. */
export const findMail = (tx: Tx, tenantId: string | null, id: string): Promise<MailRow | undefined> =>
  selectMails(tx, tenantId).where('id', '=', id).executeTakeFirst()

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

/** Locks those of these mails that are there, in the order of their ids, until the transaction ends. */
export const lockMails = (tx: Tx, tenantId: string | null, ids: readonly string[]): Promise<MailRow[]> =>
  selectMails(tx, tenantId).where('id', '=', anyOf(ids)).orderBy('id').forNoKeyUpdate().execute()

/** Enters an attempt at these mails, which the caller has locked. */
export function updateMailsClaimed(
  tx: Tx,
  tenantId: string | null,
  ids: readonly string[],
  change: Pick<MailRow, 'claimed_by' | 'updated_at'>,
): Promise<MailRow[]> {
  const { table, own } = placeOf(tenantId)
  const query = tx.updateTable(table).set({ ...change, attempts: sql<number>`attempts + 1`, waits_turn: false })
  return query.where(own).where('id', '=', anyOf(ids)).returningAll().execute()
}

/** Takes an attempt back that was not made; gives those that it still held. */
export function updateMailsReleased(
  tx: Tx,
  tenantId: string | null,
  ids: readonly string[],
  claim: string,
): Promise<Pick<MailRow, 'id' | 'next_attempt_at' | 'created_at'>[]> {
  const { table, own } = placeOf(tenantId)
  const query = tx.updateTable(table).set({ claimed_by: null, attempts: sql<number>`attempts - 1` })
  const held = query.where(own).where('id', '=', anyOf(ids)).where('claimed_by', '=', claim)
  return held.returning(['id', 'next_attempt_at', 'created_at']).execute()
}

/** Those that one attempt has handed to the mail server, each with what the server replied; returns how many it still held. */
export async function updateMailsSent(
  tx: Tx,
  tenantId: string | null,
  { claim, replies }: { claim: string; replies: readonly { id: string; server_reply: string | null }[] },
  change: MailChange,
): Promise<number> {
  const { table, own } = placeOf(tenantId)
  const replied = sql<{
    id: string
    server_reply: string | null
  }>`(select * from jsonb_to_recordset(cast(${JSON.stringify(replies)} as jsonb)) as r(id uuid, server_reply text))`
  const { numUpdatedRows } = await tx
    .updateTable(table)
    .from(replied.as('replied'))
    .set({ ...change, server_reply: sql<string | null>`replied.server_reply` })
    .where(own)
    .whereRef(`${table}.id`, '=', sql.ref('replied.id'))
    .where('claimed_by', '=', claim)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Across tenants, by their ids: those that have mails from before `removed`, or texts from before `emptied`. */
export async function listTenantsToForget(tx: Tx, { removed, emptied, after, limit }: SweepPage & Forgotten) {
  const query = tx
    .selectFrom('mails')
    .select('tenant_id')
    .distinct()
    .where((eb) =>
      eb.or([eb('created_at', '<', removed), eb.and([eb('created_at', '<', emptied), eb('data', 'is not', null)])]),
    )
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Moments up to which mails are removed, and what they say. */
export interface Forgotten {
  removed: string
  emptied: string
}

/** Removes so many of the oldest; returns how many there were. */
export async function deleteMailsBefore(tx: Tx, tenantId: string | null, { removed }: Forgotten, limit: number) {
  const { table, own } = placeOf(tenantId)
  const oldest = tx.selectFrom(table).select('id').where(own).where('created_at', '<', removed)
  const some = oldest.orderBy('created_at').limit(limit)
  const { numDeletedRows } = await tx.deleteFrom(table).where(own).where('id', 'in', some).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Removes mails without a tenant by their ids; returns how many there were. */
export async function deleteGlobalMails(tx: Tx, ids: readonly string[]): Promise<number> {
  const { numDeletedRows } = await tx.deleteFrom('global_mails').where('id', '=', anyOf(ids)).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Removes what mails say that nobody can have sent once more. */
export const updateMailsEmptied = (tx: Tx, tenantId: string, { emptied }: Forgotten): Promise<unknown> =>
  tx
    .updateTable('mails')
    .set({ data: null })
    .where('tenant_id', '=', tenantId)
    .where('created_at', '<', emptied)
    .where('data', 'is not', null)
    .where('status', 'not in', ['queued', 'deferred'])
    .execute()
