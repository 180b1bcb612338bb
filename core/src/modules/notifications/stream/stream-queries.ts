import { sql, type Tx } from '#kernel'
import type { CountRow, NotificationRow } from '../table.ts'

/** A person of a tenant. */
export interface Watched {
  tenantId: string
  userId: string
}

/** A person, and the place in their list up to which they were told. */
export interface Place {
  userId: string
  seq: number
}

/** The counts of these people. */
export const listCounts = (tx: Tx, tenantId: string, userIds: readonly string[]): Promise<CountRow[]> =>
  tx
    .selectFrom('notification_counts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${userIds}::uuid[])`)
    .execute()

/**
 * What came after its place for each of these people, in the order of the list, `each` at most. Places ascend in the order of
 * commits, since whoever takes one holds the person's counts: what is committed later stands behind what can be seen.
 */
export async function listAfter(
  tx: Tx,
  tenantId: string,
  places: readonly Place[],
  { now, each }: { now: string; each: number },
): Promise<NotificationRow[]> {
  const { rows } = await sql<NotificationRow>`
    select n.* from unnest(${places.map(({ userId }) => userId)}::uuid[], ${places.map(({ seq }) => seq)}::bigint[]) as p (user_id, seq)
    cross join lateral (
      select * from notifications as n
      where n.tenant_id = ${tenantId} and n.user_id = p.user_id and n.seq > p.seq and n.archived_at is null
        and (n.expires_at is null or n.expires_at > ${now})
      order by n.seq limit ${each}
    ) as n order by n.user_id, n.seq`.execute(tx)
  return rows
}

/** The place of one of a person's notifications; undefined when it is gone, or was never theirs. */
export async function findPlace(tx: Tx, { tenantId, userId }: Watched, id: string): Promise<number | undefined> {
  const row = await tx
    .selectFrom('notifications')
    .select('seq')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.seq ?? undefined
}

/** The place of the latest that was written before a moment; 0: none was. */
export async function findPlaceBefore(tx: Tx, { tenantId, userId }: Watched, before: string): Promise<number> {
  const row = await tx
    .selectFrom('notifications')
    .select('seq')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('seq', 'is not', null)
    .where('created_at', '<', before)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.seq ?? 0
}

/** How things stand with these people, in whatever tenants: only to know where to look again. As the system role. */
export async function listStates(
  tx: Tx,
  people: readonly Watched[],
): Promise<Pick<CountRow, 'tenant_id' | 'id' | 'last_seq' | 'unread' | 'next_expiry'>[]> {
  const { rows } = await sql<Pick<CountRow, 'tenant_id' | 'id' | 'last_seq' | 'unread' | 'next_expiry'>>`
    select c.tenant_id, c.id, c.last_seq, c.unread, c.next_expiry from notification_counts as c
    join unnest(${people.map(({ tenantId }) => tenantId)}::uuid[], ${people.map(({ userId }) => userId)}::uuid[]) as p (tenant_id, id)
      on p.tenant_id = c.tenant_id and p.id = c.id`.execute(tx)
  return rows
}
