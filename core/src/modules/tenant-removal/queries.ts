import { type Insertable, sql, type Tx, type Updateable } from '#kernel'
import type { Progress, RemovalRow, TenantRemovalTable } from './table.ts'

// Everything here is for the system role.

export type NewRemoval = Insertable<Pick<TenantRemovalTable, 'tenant_id' | 'reason' | 'purge_at' | 'requested_at'>> &
  Pick<RemovalRow, 'requested_by_type' | 'requested_by_id' | 'requested_by_label'>

export const insertRemoval = (tx: Tx, row: NewRemoval): Promise<RemovalRow> =>
  tx.insertInto('tenant_removals').values(row).returningAll().executeTakeFirstOrThrow()

export const findRemoval = (tx: Tx, tenantId: string): Promise<RemovalRow | undefined> =>
  tx.selectFrom('tenant_removals').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()

export const updateRemoval = (
  tx: Tx,
  tenantId: string,
  change: Omit<Updateable<TenantRemovalTable>, 'progress'>,
): Promise<unknown> => tx.updateTable('tenant_removals').set(change).where('tenant_id', '=', tenantId).execute()

/** Ends one by whoever has this claim, null: nobody; false when somebody else has. */
export async function deleteRemoval(
  tx: Tx,
  { tenant_id, claimed_by }: Pick<RemovalRow, 'tenant_id' | 'claimed_by'>,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('tenant_removals')
    .where('tenant_id', '=', tenant_id)
    .where(sql<boolean>`claimed_by is not distinct from ${claimed_by}::uuid`)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Adds mails to those that were sent about it. */
export const updateMailed = (tx: Tx, tenantId: string, ids: readonly string[]): Promise<unknown> =>
  tx
    .updateTable('tenant_removals')
    .set({ mail_ids: sql<string[]>`mail_ids || ${ids}::uuid[]` })
    .where('tenant_id', '=', tenantId)
    .execute()

/** The moments by which owners are reminded. */
export interface ReminderMoments {
  now: string
  week: string
  day: string
}

const isToBeReminded = ({ now, week, day }: ReminderMoments) =>
  sql<boolean>`begun_at is null and purge_at > ${now}
    and ((purge_at <= ${week} and reminded_days is null) or (purge_at <= ${day} and reminded_days is distinct from 1))`

export const listToRemind = (tx: Tx, moments: ReminderMoments): Promise<Pick<RemovalRow, 'tenant_id'>[]> =>
  tx.selectFrom('tenant_removals').select('tenant_id').where(isToBeReminded(moments)).orderBy('purge_at').execute()

/** Marks one as reminded of, so that nobody does it twice; undefined when there is nothing to say any more. */
export const updateReminded = (tx: Tx, tenantId: string, moments: ReminderMoments): Promise<RemovalRow | undefined> =>
  tx
    .updateTable('tenant_removals')
    .set({ reminded_days: sql<number>`case when purge_at <= ${moments.day} then 1 else 7 end` })
    .where('tenant_id', '=', tenantId)
    .where(isToBeReminded(moments))
    .returningAll()
    .executeTakeFirst()

/** A claim of a removal, and the moments by which it counts. */
export interface Lease {
  token: string
  now: string
  until: string
  /** No claim ends later than this, allowing for clocks that differ. */
  furthest: string
}

/** By the clock of the database too, as the door is that rows go through: one that is ahead here begins nothing. */
const isDue = ({ now, furthest }: Pick<Lease, 'now' | 'furthest'>) =>
  sql<boolean>`purge_at <= ${now} and marked_at <= now() - interval '30 days' and (retry_at is null or retry_at <= ${now} or retry_at > ${furthest})
    and (claimed_until is null or claimed_until <= ${now} or claimed_until > ${furthest})`

/** Those that are due and that nobody is at, the longest due first. */
export const listDue = (tx: Tx, moments: Pick<Lease, 'now' | 'furthest'>, limit: number) =>
  tx.selectFrom('tenant_removals').select('tenant_id').where(isDue(moments)).orderBy('purge_at').limit(limit).execute()

/** Begins a removal, or takes up one that was begun; undefined when it is not due, or somebody is at it. */
export const updateClaimed = (tx: Tx, tenantId: string, lease: Lease): Promise<RemovalRow | undefined> =>
  tx
    .updateTable('tenant_removals')
    .set({
      begun_at: sql<string>`coalesce(begun_at, ${lease.now}::timestamptz)`,
      claimed_by: lease.token,
      claimed_until: lease.until,
      problem: null,
      retry_at: null,
    })
    .where('tenant_id', '=', tenantId)
    .where(isDue(lease))
    .returningAll()
    .executeTakeFirst()

/** Prolongs a claim, and stores how far it has come; false when somebody else has it. */
export async function updateProgress(
  tx: Tx,
  { tenant_id, claimed_by }: Pick<RemovalRow, 'tenant_id' | 'claimed_by'>,
  until: string,
  progress: Progress,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('tenant_removals')
    .set({ claimed_until: until, progress: JSON.stringify(progress) as never }) // jsonb takes its text
    .where('tenant_id', '=', tenant_id)
    .where('claimed_by', '=', claimed_by)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Removals that stand still, and why. */
export const listProblems = (tx: Tx, limit: number): Promise<Pick<RemovalRow, 'tenant_id' | 'problem'>[]> =>
  tx
    .selectFrom('tenant_removals')
    .select(['tenant_id', 'problem'])
    .where('problem', 'is not', null)
    .orderBy('tenant_id')
    .limit(limit)
    .execute()

/** Gives a claim back. */
export const updateReleased = (
  tx: Tx,
  { tenant_id, claimed_by }: Pick<RemovalRow, 'tenant_id' | 'claimed_by'>,
  { problem, retry_at }: Pick<RemovalRow, 'problem' | 'retry_at'>,
): Promise<unknown> =>
  tx
    .updateTable('tenant_removals')
    .set({ claimed_by: null, claimed_until: null, problem, retry_at })
    .where('tenant_id', '=', tenant_id)
    .where('claimed_by', '=', claimed_by)
    .execute()
