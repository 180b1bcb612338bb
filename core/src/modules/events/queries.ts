import { type EventTable, sql, type Tx } from '#kernel'

export type FollowedRow = Omit<EventTable, 'tenant_id'>

const COLUMNS = [
  'id',
  'position',
  'type',
  'created_at',
  'store_id',
  'actor_type',
  'actor_id',
  'actor_label',
  'impersonator_id',
  'data',
] as const satisfies readonly (keyof FollowedRow)[]

/** A stretch of the feed, and which of its events are asked for. */
export interface Stretch {
  /** Events behind this position… */
  after: number
  /** …up to this one. */
  to: number
  /** Null: all. */
  types: readonly string[] | null
  /** Those of one store; null: whatever their store. */
  storeId: string | null
  /** Those of these stores alone; null: those of the whole tenant too. */
  stores: readonly string[] | null
}

/** How many events there have been in a tenant: all up to there can be seen by whoever sees this. */
export async function findHead(tx: Tx, tenantId: string): Promise<number> {
  const row = await tx.selectFrom('event_heads').select('position').where('tenant_id', '=', tenantId).executeTakeFirst()
  return row?.position ?? 0
}

/** The position of the oldest event that is kept. */
export async function findOldest(tx: Tx, tenantId: string): Promise<number | undefined> {
  const row = await tx
    .selectFrom('events')
    .select('position')
    .where('tenant_id', '=', tenantId)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst()
  return row?.position
}

/** The event at a position, if it is kept. */
export async function findEventAt(tx: Tx, tenantId: string, position: number): Promise<{ id: string } | undefined> {
  return tx
    .selectFrom('events')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('position', '=', position)
    .executeTakeFirst()
}

/** The events of a stretch in the order of commits. */
export function listEvents(tx: Tx, tenantId: string, { after, to, types, storeId, stores }: Stretch) {
  let query = tx
    .selectFrom('events')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('position', '>', after)
    .where('position', '<=', to)
    .orderBy('position')
  if (types !== null) query = query.where(sql<boolean>`type = any(${types}::text[])`)
  if (storeId !== null) query = query.where('store_id', '=', storeId)
  return stores === null ? query : query.where(sql<boolean>`store_id = any(${stores}::uuid[])`)
}

/** How many events there have been in each of these tenants: only to know where to look again. As the system role. */
export async function listHeads(
  tx: Tx,
  tenantIds: readonly string[],
): Promise<{ tenant_id: string; position: number }[]> {
  return tx
    .selectFrom('event_heads')
    .select(['tenant_id', 'position'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .execute()
}
