import { type AuditLogTable, notFound, type Selectable, sql, type Tx } from '#kernel'
import type { Criteria } from './filtering.ts'

export type AuditRow = Selectable<AuditLogTable>

const columns = [
  'tenant_id',
  'id',
  'created_at',
  'action',
  'actor_type',
  'actor_id',
  'actor_label',
  'impersonator_id',
  'resource_type',
  'resource_id',
  'resource_label',
  'store_id',
  'old_values',
  'new_values',
  'ip_address',
  'user_agent',
  'request_id',
] as const // the literal names type the row

function selectRecords(tx: Tx, tenantId: string) {
  return tx.selectFrom('audit_logs').select(columns).where('tenant_id', '=', tenantId)
}

/** Unordered and unbounded, for `page`. */
export function listRecords(tx: Tx, tenantId: string, criteria: Criteria) {
  const { action, actionRange, resourceType, resourceId, userId, storeId, ipAddress, from, before, q } = criteria
  let query = selectRecords(tx, tenantId)
  if (action !== undefined) query = query.where('action', '=', action)
  if (actionRange)
    query = query.where(sql<boolean>`action ~>=~ ${actionRange.from} and action ~<~ ${actionRange.before}`)
  if (resourceType !== undefined) query = query.where('resource_type', '=', resourceType)
  if (resourceId !== undefined) query = query.where('resource_id', '=', resourceId)
  if (userId !== undefined) query = query.where('actor_id', '=', userId).where('actor_type', 'in', ['user', 'admin'])
  if (storeId !== undefined) query = query.where('store_id', '=', storeId)
  if (ipAddress !== undefined) query = query.where('ip_address', '=', ipAddress)
  if (from) query = query.where('id', '>=', from.id).where('created_at', '>=', from.createdAt)
  if (before) query = query.where('id', '<', before.id).where('created_at', '<', before.createdAt)
  if (q === undefined) return query
  const part = `%${q.replace(/[\\%_]/g, '\\$&')}%`
  return query.where((where) =>
    where.or([
      where('action', 'ilike', part),
      where('actor_label', 'ilike', part),
      where('resource_label', 'ilike', part),
    ]),
  )
}

/** The newest records before `beforeId` (null: of all), newest first. */
export function listNextRecords(
  tx: Tx,
  tenantId: string,
  { criteria, beforeId, limit }: { criteria: Criteria; beforeId: string | null; limit: number },
): Promise<AuditRow[]> {
  const query = listRecords(tx, tenantId, criteria)
  const rest = beforeId === null ? query : query.where('id', '<', beforeId)
  return rest.orderBy('id', 'desc').limit(limit).execute()
}

/** Throws 404 when the tenant has no such record. */
export function getRecord(tx: Tx, tenantId: string, id: string): Promise<AuditRow> {
  return selectRecords(tx, tenantId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound())
}
