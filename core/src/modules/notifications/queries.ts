import { type Insertable, type NotifiedPerson, sql, type Tx, type Updateable } from '#kernel'
import type { NotificationFilter } from './schema.ts'
import type { CountRow, NotificationCountTable, NotificationRow, NotificationTable } from './table.ts'

/** What shows a person their list: whose it is, and from where on. */
export type Feed = Pick<CountRow, 'tenant_id' | 'id' | 'read_to' | 'read_all_at' | 'hidden_to'>

export const findCounts = (tx: Tx, tenantId: string, userId: string): Promise<CountRow | undefined> =>
  tx
    .selectFrom('notification_counts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .executeTakeFirst()

/** A person's counts, locked until the transaction ends: whatever changes what is counted begins with this. */
export const lockCounts = (tx: Tx, tenantId: string, userId: string): Promise<CountRow | undefined> =>
  tx
    .selectFrom('notification_counts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .forUpdate()
    .executeTakeFirst()

/** The same for several people, in the order that everybody locks them in. */
export const lockCountsOf = (tx: Tx, tenantId: string, userIds: readonly string[]): Promise<CountRow[]> =>
  tx
    .selectFrom('notification_counts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${userIds}::uuid[])`)
    .orderBy('id')
    .forUpdate()
    .execute()

export const updateCounts = (
  tx: Tx,
  { tenant_id, id }: Pick<CountRow, 'tenant_id' | 'id'>,
  change: Updateable<NotificationCountTable>,
): Promise<unknown> =>
  tx.updateTable('notification_counts').set(change).where('tenant_id', '=', tenant_id).where('id', '=', id).execute()

/** Counts one more for each of these people, and gives its place in their list. The rows ascend by `id`. */
export const upsertCounts = (tx: Tx, rows: readonly Insertable<NotificationCountTable>[]) =>
  tx
    .insertInto('notification_counts')
    .values(rows)
    .onConflict((same) =>
      same.columns(['tenant_id', 'id']).doUpdateSet({
        unread: sql<number>`notification_counts.unread + 1`,
        last_seq: sql<number>`notification_counts.last_seq + 1`,
        next_expiry: sql<string | null>`least(notification_counts.next_expiry, excluded.next_expiry)`,
        updated_at: sql<string>`excluded.updated_at`,
      }),
    )
    .returning(['id', 'last_seq'])
    .execute()

/** Counts anew for everybody in a tenant who has been told something; nobody may be told anything meanwhile. */
export const upsertAllCounts = (tx: Tx, tenantId: string, now: string): Promise<unknown> =>
  sql`insert into notification_counts (tenant_id, id, created_at, updated_at, unread, last_seq, read_to, read_all_at, hidden_to, next_expiry)
    select n.tenant_id, n.user_id, ${now}::timestamptz, ${now}::timestamptz,
      count(*) filter (where n.read_at is null and n.seq > coalesce(c.read_to, 0)), max(n.seq), 0, null, 0,
      min(n.expires_at) filter (where n.read_at is null and n.seq > coalesce(c.read_to, 0))
    from notifications n left join notification_counts c on c.tenant_id = n.tenant_id and c.id = n.user_id
    where n.tenant_id = ${tenantId} and n.seq is not null group by n.tenant_id, n.user_id
    on conflict (tenant_id, id) do update set unread = excluded.unread, last_seq = greatest(notification_counts.last_seq, excluded.last_seq),
      next_expiry = excluded.next_expiry, updated_at = excluded.updated_at returning 1`.execute(tx)

/** Counts so many fewer for each of these people, whose rows are locked. */
export async function updateUnreadLess(
  tx: Tx,
  tenantId: string,
  lost: ReadonlyMap<string, number>,
  now: string,
): Promise<void> {
  if (lost.size === 0) return
  await sql`
    update notification_counts as c set unread = c.unread - lost.n, updated_at = ${now}
    from unnest(${[...lost.keys()]}::uuid[], ${[...lost.values()]}::integer[]) as lost (id, n)
    where c.tenant_id = ${tenantId} and c.id = lost.id`.execute(tx)
}

/** How many of those that are counted have expired. */
export async function countExpired(tx: Tx, { tenant_id, id, read_to }: Feed, now: string): Promise<number> {
  const row = await tx
    .selectFrom('notifications')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenant_id)
    .where('user_id', '=', id)
    .where('read_at', 'is', null)
    .where('seq', '>', read_to)
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** What a person is shown, archived or not; unordered and unbounded. */
export const selectShown = (tx: Tx, { tenant_id, id, hidden_to }: Feed, now: string) =>
  tx
    .selectFrom('notifications')
    .selectAll()
    .where('tenant_id', '=', tenant_id)
    .where('user_id', '=', id)
    .where('seq', '>', hidden_to)
    .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))

/** The person's list, for `page` by `seq`. */
export function listNotifications(
  tx: Tx,
  feed: Feed,
  now: string,
  { unread, archived = false, type, kind }: NotificationFilter,
) {
  let query = selectShown(tx, feed, now).where('archived_at', archived ? 'is not' : 'is', null)
  if (type !== undefined) query = query.where('type', '=', type)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (unread === true) return query.where('read_at', 'is', null).where('seq', '>', feed.read_to)
  if (unread === false)
    return query.where(({ eb, or }) => or([eb('read_at', 'is not', null), eb('seq', '<=', feed.read_to)]))
  return query
}

export const findShown = (tx: Tx, feed: Feed, id: string, now: string): Promise<NotificationRow | undefined> =>
  selectShown(tx, feed, now).where('notifications.id', '=', id).executeTakeFirst()

/** Whatever became of it; undefined when it is gone. */
export const findNotification = (tx: Tx, tenantId: string, id: string): Promise<NotificationRow | undefined> =>
  tx.selectFrom('notifications').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id).executeTakeFirst()

/** Which of these are there. They are of one moment, so `from` and `to` bound the partitions to look at. */
export async function listKnownIds(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
  { from, to }: { from: string; to: string },
): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('notifications')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '>=', from)
    .where('id', '<=', to)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

export const insertNotifications = (tx: Tx, rows: readonly Insertable<NotificationTable>[]): Promise<unknown> =>
  tx.insertInto('notifications').values(rows).execute()

export const updateNotification = (
  tx: Tx,
  { tenant_id, id }: Pick<NotificationRow, 'tenant_id' | 'id'>,
  change: Updateable<NotificationTable>,
): Promise<NotificationRow> =>
  tx
    .updateTable('notifications')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const deleteNotification = (tx: Tx, { tenant_id, id }: Pick<NotificationRow, 'tenant_id' | 'id'>) =>
  tx.deleteFrom('notifications').where('tenant_id', '=', tenant_id).where('id', '=', id).execute()

/** Deletes what these people have not read of that key; their counts are locked. Gives whose it was, once for each. */
export async function deleteReplaced(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
  groupKey: string,
): Promise<string[]> {
  const { rows } = await sql<{ user_id: string }>`
    delete from notifications as n using notification_counts as c
    where n.tenant_id = ${tenantId} and n.user_id = any(${userIds}::uuid[]) and n.group_key = ${groupKey}
      and n.read_at is null and c.tenant_id = n.tenant_id and c.id = n.user_id and n.seq > c.read_to
    returning n.user_id`.execute(tx)
  return rows.map(({ user_id }) => user_id)
}

/** Roles by which somebody holds a permission: for the whole tenant, and in one store. */
export interface HoldingRoles {
  tenantWide: readonly string[]
  inStore: readonly string[]
  storeId: string | null
}

export interface PeopleWanted {
  /** Null: everybody. */
  ids: readonly string[] | null
  /** Null: whatever they hold. */
  holding: HoldingRoles | null
  except: string | null
  after: string | null
  limit: number
}

/** Active members of the tenant, by their ids. */
export async function listPeople(
  tx: Tx,
  tenantId: string,
  { ids, holding, except, after, limit }: PeopleWanted,
): Promise<NotifiedPerson[]> {
  let query = tx
    .selectFrom('members as m')
    .innerJoin('users as u', 'u.id', 'm.id')
    .select(['u.id', 'u.email', 'u.name', 'u.locale', 'u.timezone'])
    .where('m.tenant_id', '=', tenantId)
    .where('m.status', '=', 'active')
    .where('u.status', '=', 'active')
  if (ids) query = query.where(sql<boolean>`m.id = any(${ids}::uuid[])`)
  if (except !== null) query = query.where('m.id', '<>', except)
  if (after !== null) query = query.where('m.id', '>', after)
  if (holding) {
    const { tenantWide, inStore, storeId } = holding
    query = query.where(
      sql<boolean>`exists (select 1 from role_assignments as a where a.tenant_id = m.tenant_id and a.user_id = m.id
        and ((a.store_id is null and a.role_id = any(${tenantWide}::uuid[]))
          or (a.store_id = ${storeId} and a.role_id = any(${inStore}::uuid[]))))`,
    )
  }
  return query.orderBy('m.id').limit(limit).execute()
}
