import { type SweepPage, sql, type Tx } from '#kernel'

interface UpTo {
  tenantId: string
  userId: string
  to: number
  limit: number
}

/** Marks as read what a person has read by reading all; how many. They are counted no longer, so nothing else changes. */
export async function updateReadUpTo(
  tx: Tx,
  { tenantId, userId, to, at, limit }: UpTo & { at: string },
): Promise<number> {
  const { rows } = await sql`
    update notifications set read_at = ${at}, updated_at = ${at}
    where tenant_id = ${tenantId} and id in (
      select n.id from notifications as n
      where n.tenant_id = ${tenantId} and n.user_id = ${userId} and n.read_at is null and n.seq <= ${to}
      order by n.seq limit ${limit})
    returning 1`.execute(tx)
  return rows.length
}

/** Deletes what a person was told up to a place, and what is in no list since before a moment; how many. */
export async function deleteUpTo(tx: Tx, { tenantId, userId, to, at, limit }: UpTo & { at: string }): Promise<number> {
  const { rows } = await sql`
    delete from notifications where tenant_id = ${tenantId} and id in (
      select n.id from notifications as n
      where n.tenant_id = ${tenantId} and n.user_id = ${userId}
        and (n.seq <= ${to} or (n.seq is null and n.created_at <= ${at})) limit ${limit})
    returning 1`.execute(tx)
  return rows.length
}

/** Something that is removed, as far as counts go. */
export interface Removed {
  user_id: string
  seq: number | null
  read_at: string | null
}

/** Which notifications: those that have expired, or those with smaller ids that were never read. */
export type Old = { expiredAt: string } | { unreadBefore: string }

const condition = (old: Old) =>
  'expiredAt' in old
    ? sql<boolean>`expires_at <= ${old.expiredAt}`
    : sql<boolean>`read_at is null and id < ${old.unreadBefore}`

/** Across tenants, by their ids: those that have such. */
export async function listTenantsWith(tx: Tx, old: Old, { after, limit }: SweepPage): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('notifications')
    .select('tenant_id')
    .distinct()
    .where(condition(old))
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Such of one tenant, and whose they are. */
export const listOld = (
  tx: Tx,
  tenantId: string,
  old: Old,
  limit: number,
): Promise<{ id: string; user_id: string }[]> =>
  tx
    .selectFrom('notifications')
    .select(['id', 'user_id'])
    .where('tenant_id', '=', tenantId)
    .where(condition(old))
    .limit(limit)
    .execute()

/** Deletes these while they still are such. */
export const deleteOld = (tx: Tx, tenantId: string, old: Old, ids: readonly string[]): Promise<Removed[]> =>
  tx
    .deleteFrom('notifications')
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .where(condition(old))
    .returning(['user_id', 'seq', 'read_at'])
    .execute()

/** The earliest end of what is counted of these people; null: nothing of theirs expires. */
export async function listNextExpiries(
  tx: Tx,
  tenantId: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ user_id: string; next: string }>`
    select n.user_id, min(n.expires_at) as next from notifications as n
    where n.tenant_id = ${tenantId} and n.user_id = any(${userIds}::uuid[]) and n.read_at is null and n.expires_at is not null
    group by n.user_id`.execute(tx)
  return new Map(rows.map(({ user_id, next }) => [user_id, next]))
}

/** Makes the partitions of this month and the next ones. For the system role. */
export const insertMonths = (tx: Tx, from: string, months: number): Promise<unknown> =>
  sql`select tenantry.ensure_partitions('notifications', ${from}::date, ${months})`.execute(tx)

/** The first day of each month with a partition, oldest first. */
export async function listMonths(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    select substr(c.relname, 15, 4) || '-' || substr(c.relname, 19, 2) || '-01' as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'core.notifications'::regclass and c.relname ~ '^notifications_[0-9]{6}$'
    order by 1`.execute(tx)
  return rows.map(({ month }) => month)
}

/** For the system role, in its own transaction: true when the month was dropped. Fails with 55P03 when a lock is taken. */
export async function deleteMonth(tx: Tx, month: string): Promise<boolean> {
  const { rows } = await sql<{ dropped: boolean }>`
    select tenantry.drop_notification_month(${month}::date) as dropped`.execute(tx)
  return rows[0]!.dropped // the function returns one row
}

/** For the system role: what should have gone out long ago and was given up; how many. */
export async function deleteStaleSends(tx: Tx, before: string, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from notification_sends where (tenant_id, id) in (
      select s.tenant_id, s.id from notification_sends as s where s.created_at < ${before} limit ${limit})
    returning 1`.execute(tx)
  return rows.length
}
