import { type Insertable, sql, type Tx, type Updateable } from '#kernel'
import type { AnnouncementRow, AnnouncementTable } from './table.ts'

export const insertAnnouncement = (tx: Tx, row: Insertable<AnnouncementTable>): Promise<AnnouncementRow> =>
  tx.insertInto('announcements').values(row).returningAll().executeTakeFirstOrThrow()

export const findAnnouncement = (tx: Tx, id: string): Promise<AnnouncementRow | undefined> =>
  tx.selectFrom('announcements').selectAll().where('id', '=', id).executeTakeFirst()

export const updateAnnouncement = (tx: Tx, id: string, change: Updateable<AnnouncementTable>): Promise<unknown> =>
  tx.updateTable('announcements').set(change).where('id', '=', id).execute()

/**
 * Takes the name of a tenant that is removed for good out of announcements. One whose telling had come to it begins anew, and tells nobody
 * twice.
 */
export async function updateAnnouncementsFor(tx: Tx, tenantId: string, most: number): Promise<number> {
  const names = sql<boolean>`(${tenantId}::uuid = any(tenant_ids) or position = ${tenantId}::uuid)`
  const some = tx.selectFrom('announcements').select('id').where(names).limit(most)
  const { numUpdatedRows } = await tx
    .updateTable('announcements')
    .set({
      tenant_ids: sql<string[]>`array_remove(tenant_ids, ${tenantId}::uuid)`,
      position: sql<string | null>`nullif(position, ${tenantId}::uuid)`,
    })
    .where('id', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** Which of these are tenants, whatever their state. */
export async function listKnownTenants(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.selectFrom('tenants').select('id').where(sql<boolean>`id = any(${ids}::uuid[])`).execute()
  return new Set(rows.map(({ id }) => id))
}

/** The next tenants whose people are told, by their ids. */
export async function listNextTenants(
  tx: Tx,
  { tenant_ids, position, created_at }: AnnouncementRow,
  limit: number,
): Promise<string[]> {
  let query = tx
    .selectFrom('tenants')
    .select('id')
    .where('status', '=', sql.lit('active'))
    .where('created_at', '<=', created_at)
  if (tenant_ids !== null) query = query.where(sql<boolean>`id = any(${tenant_ids}::uuid[])`)
  if (position !== null) query = query.where('id', '>', position)
  const rows = await query.orderBy('id').limit(limit).execute()
  return rows.map(({ id }) => id)
}

/** In how many tenants something waits that is due, counted up to a few: what whoever comes next has to wait for. */
export async function countBusyTenants(tx: Tx, now: string): Promise<number> {
  const { rows } = await sql<{ busy: number }>`
    select count(distinct tenant_id)::integer as busy from (
      select tenant_id from tenant_jobs where status = 'waiting' and not outbound and run_at <= ${now}
        and not exists (select from resting_tenants r where r.tenant_id = tenant_jobs.tenant_id) order by run_at desc limit 500
    ) as due`.execute(tx)
  return rows[0]?.busy ?? 0
}
