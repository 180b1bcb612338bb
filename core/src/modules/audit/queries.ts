import { AUDIT_COLUMNS, type AuditLogTable, notFound, type Selectable, sql, type Tx } from '#kernel'
import { atLeast, matching, narrow, newestFirst, type Selection } from './selection.ts'

export type AuditRow = Selectable<AuditLogTable>

const columns = ['tenant_id', ...AUDIT_COLUMNS] as const // the literal names type the row

/** Unordered and unbounded. */
export function selectRecords(tx: Tx, tenantId: string) {
  return tx.selectFrom('audit_logs').select(columns).where('tenant_id', '=', tenantId)
}

export async function listRecords(tx: Tx, tenantId: string, selection: Selection): Promise<AuditRow[]> {
  const { criteria, limit } = selection
  const rows = await selectRecords(tx, tenantId)
    .where(matching(criteria, narrow(criteria, selection)))
    .orderBy(newestFirst(criteria))
    .limit(atLeast(limit))
    .execute()
  return rows.slice(0, limit)
}

/** The id, if there is a record with that id or a greater one. */
export async function findRecordFrom(tx: Tx, tenantId: string, id: string): Promise<string | undefined> {
  const query = tx.selectFrom('audit_logs').select('id').where('tenant_id', '=', tenantId).where('id', '>=', id)
  const row = await query.orderBy('id', 'desc').limit(sql.lit(1)).executeTakeFirst()
  return row?.id
}

/** Throws 404 when the tenant has no such record. */
export function getRecord(tx: Tx, tenantId: string, id: string): Promise<AuditRow> {
  return selectRecords(tx, tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())
}
