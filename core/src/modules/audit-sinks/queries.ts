import { type Insertable, notFound, type Tx, type Updateable } from '#kernel'
import type { AuditSinkTable, SinkRow } from './table.ts'

/** The key of a sink. */
export type SinkKey = Pick<SinkRow, 'tenant_id' | 'id'>
export type SinkChange = Omit<Updateable<AuditSinkTable>, keyof SinkKey>

const selectSinks = (tx: Tx, tenantId: string) =>
  tx.selectFrom('audit_sinks').selectAll().where('tenant_id', '=', tenantId)

/** Oldest first. */
export const listSinks = (tx: Tx, tenantId: string): Promise<SinkRow[]> =>
  selectSinks(tx, tenantId).orderBy('id').execute()

/** Throws 404 when the tenant has no such sink. */
export const getSink = (tx: Tx, tenantId: string, id: string): Promise<SinkRow> =>
  selectSinks(tx, tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())

/** Locks the row until the transaction ends; undefined when there is no such sink. */
export const lockSink = (tx: Tx, tenantId: string, id: string): Promise<SinkRow | undefined> =>
  selectSinks(tx, tenantId).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** Waits for a transaction that is taking the same slot; undefined when the slot is taken. */
export const insertSink = (tx: Tx, sink: Insertable<AuditSinkTable>): Promise<SinkRow | undefined> =>
  tx
    .insertInto('audit_sinks')
    .values(sink)
    .onConflict((taken) => taken.columns(['tenant_id', 'slot']).doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateSink = (tx: Tx, { tenant_id, id }: SinkKey, change: SinkChange): Promise<SinkRow> =>
  tx
    .updateTable('audit_sinks')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Stores a sent batch; undefined when the sink was deleted, or another process sends. */
export const updateSinkSent = (
  tx: Tx,
  { tenant_id, id, position, locked_by }: SinkRow,
  change: SinkChange,
): Promise<SinkRow | undefined> =>
  tx
    .updateTable('audit_sinks')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('position', '=', position)
    .where('locked_by', '=', locked_by)
    .returningAll()
    .executeTakeFirst()

/** Undefined when there is no such sink. */
export const deleteSink = (tx: Tx, tenantId: string, id: string): Promise<SinkRow | undefined> =>
  tx.deleteFrom('audit_sinks').where('tenant_id', '=', tenantId).where('id', '=', id).returningAll().executeTakeFirst()

const selectBacklog = (tx: Tx, now: string) =>
  tx
    .selectFrom('audit_sinks as s')
    .innerJoin('audit_chains as c', 'c.tenant_id', 's.tenant_id')
    .innerJoin('tenants as t', 't.id', 's.tenant_id')
    .where('s.status', '=', 'active')
    .where('t.status', '<>', 'deleted')
    .whereRef('s.position', '<', 'c.position')
    .where((where) => where.or([where('s.next_attempt_at', 'is', null), where('s.next_attempt_at', '<=', now)]))
    .where((where) => where.or([where('s.locked_until', 'is', null), where('s.locked_until', '<=', now)]))

/**
 * Across tenants, by id after a given one: those with a sink that has something to send and to which no process sends.
 */
export async function listTenantsBehind(
  tx: Tx,
  { now, after, limit }: { now: string; after: string | null; limit: number },
): Promise<Pick<SinkKey, 'tenant_id'>[]> {
  const query = selectBacklog(tx, now).select('s.tenant_id').distinct().orderBy('s.tenant_id').limit(limit)
  return (after === null ? query : query.where('s.tenant_id', '>', after)).execute()
}

/** The sinks of a tenant with something to send to which no process sends. */
export function listBacklog(tx: Tx, tenantId: string, now: string): Promise<Pick<SinkKey, 'id'>[]> {
  return selectBacklog(tx, now)
    .select('s.id')
    .where('s.tenant_id', '=', tenantId)
    .where('c.tenant_id', '=', tenantId)
    .where('t.id', '=', tenantId)
    .orderBy('s.id')
    .execute()
}
