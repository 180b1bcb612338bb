import { sql } from 'kysely'
import type { Tx } from '../db/tables.ts'

/** A job that this process holds until `locked_until`, unless its token is replaced by another process. */
export interface ClaimedJob {
  id: string
  task: string
  payload: unknown
  origin: unknown
  attempts: number
  max_attempts: number
  /** The token of this claim: what another process has taken over carries another one. */
  locked_by: string
}

/** Changes of a job between its claim and its end. */
export interface JobChange {
  status?: 'waiting' | 'failed'
  run_at?: string
  locked_until: string | null
  locked_by?: string | null
  last_error?: string
}

/** A job whose lease ends between these runs. */
export interface LeaseTimes {
  now: string
  /** No lease ends later than this, allowing for clocks that differ. */
  furthest: string
}

export interface Lease extends LeaseTimes {
  locked_until: string
  locked_by: string
}

/** The statements of the queue. Change and deletion return of how many jobs the claim was still valid. */
export interface JobQueries {
  /** The job that has been due for longest, of those whose payload is none of these (JSON). */
  claim(tx: Tx, lease: Lease, passedOver: readonly string[]): Promise<ClaimedJob | undefined>
  /** More jobs of a task, which were never tried. */
  claimMore(tx: Tx, lease: Lease, task: string, limit: number): Promise<ClaimedJob[]>
  update(tx: Tx, claim: Claim, change: JobChange): Promise<number>
  delete(tx: Tx, claim: Claim): Promise<number>
}

/** Jobs that run together, under one token. */
export interface Claim {
  ids: readonly string[]
  locked_by: string
}

/**
 * The queue of one tenant or, for null, of what belongs to none: of outbound jobs, or of all others. `tasks`: of these
 * alone; null: of all.
 */
export function getQueue(
  tenantId: string | null,
  outbound: boolean,
  tasks: readonly string[] | null = null,
): JobQueries {
  // A tenant's table has all the columns of the other, and its own.
  const table = (tenantId === null ? 'system_jobs' : 'tenant_jobs') as 'system_jobs'
  const own = tenantId === null ? sql<boolean>`true` : sql<boolean>`tenant_id = ${tenantId}`
  const begins = tasks === null ? sql<boolean>`true` : sql<boolean>`task = any(${tasks}::text[])`
  const due = (tx: Tx, lease: Lease) =>
    tx
      .selectFrom(table)
      .select('id')
      .where(own)
      .where('outbound', '=', outbound)
      .where(isDue(lease))
      .where(begins)
      .orderBy('run_at')
      .orderBy('id')
      .forUpdate()
      .skipLocked()
  const take = (tx: Tx, lease: Lease) =>
    tx
      .updateTable(table)
      .set(claimed(lease))
      .where(own)
      .returning(['id', 'task', 'payload', 'origin', 'attempts', 'max_attempts', 'locked_by'])
  return {
    claim: async (tx, lease, passedOver) => {
      // Nearly always none: the statement without them is the usual one.
      const others = sql<boolean>`payload <> all(${passedOver}::jsonb[])`
      const first = passedOver.length === 0 ? due(tx, lease) : due(tx, lease).where(others)
      const row = await take(tx, lease).where('id', '=', first.limit(1)).executeTakeFirst()
      return row as ClaimedJob | undefined // the token was written just now, so it is not null
    },
    claimMore: async (tx, lease, task, limit) => {
      const some = due(tx, lease).where('task', '=', task).where('attempts', '=', 0).limit(limit)
      // As an array: of a list PostgreSQL may read, and lock, more than the limit.
      return (await take(tx, lease).where(sql<boolean>`id = any(array(${some}))`).execute()) as ClaimedJob[] // the same
    },
    update: async (tx, { ids, locked_by }, change) => {
      const query = tx.updateTable(table).set(change).where(own).where('id', '=', sql<string>`any(${ids}::uuid[])`)
      return Number((await query.where('locked_by', '=', locked_by).executeTakeFirst()).numUpdatedRows)
    },
    delete: async (tx, { ids, locked_by }) => {
      const query = tx.deleteFrom(table).where(own).where('id', '=', sql<string>`any(${ids}::uuid[])`)
      return Number((await query.where('locked_by', '=', locked_by).executeTakeFirst()).numDeletedRows)
    },
  }
}

/** A lease that ends later than possible was taken by a wrong clock and is ignored. */
const isDue = ({ now, furthest }: Lease) =>
  sql<boolean>`status = 'waiting' and run_at <= ${now} and (locked_until is null or locked_until < ${now} or locked_until > ${furthest})`

const claimed = ({ locked_until, locked_by }: Lease) => ({
  locked_until,
  locked_by,
  attempts: sql<number>`attempts + 1`,
  // From here on the same job may be enqueued again, because this run may have read its data already.
  dedupe_key: null,
})
