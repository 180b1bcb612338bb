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

/** What may change about a job between its claim and its end. */
export interface JobChange {
  status?: 'waiting' | 'failed'
  run_at?: string
  locked_until: string | null
  locked_by?: string | null
  last_error?: string
}

export interface Lease {
  now: string
  locked_until: string
  locked_by: string
}

/** The statements of the queue. Change and deletion say whether the claim still held. */
export interface JobQueries {
  claim(tx: Tx, lease: Lease): Promise<ClaimedJob | undefined>
  update(tx: Tx, job: ClaimedJob, change: JobChange): Promise<boolean>
  delete(tx: Tx, job: ClaimedJob): Promise<boolean>
}

/** The queue of one tenant or, for null, of what belongs to none. */
export function getQueue(tenantId: string | null): JobQueries {
  return tenantId === null ? systemQueue : tenantQueue(tenantId)
}

const isDue = (now: string) =>
  sql<boolean>`status = 'waiting' and run_at <= ${now} and (locked_until is null or locked_until < ${now})`

const claimed = ({ locked_until, locked_by }: Lease) => ({
  locked_until,
  locked_by,
  attempts: sql<number>`attempts + 1`,
  // From here on the same work may be enqueued again: this run may already have read what it works on.
  dedupe_key: null,
})

const CLAIMED = ['id', 'task', 'payload', 'origin', 'attempts', 'max_attempts', 'locked_by'] as const

// `returning` gives back the token that was just written, so it is never null.
type Returned = Omit<ClaimedJob, 'locked_by'> & { locked_by: string | null }
const asClaimed = (row: Returned | undefined) => row as ClaimedJob | undefined

const tenantQueue = (tenantId: string): JobQueries => ({
  claim: async (tx, lease) =>
    asClaimed(
      await tx
        .updateTable('tenant_jobs')
        .set(claimed(lease))
        .where('tenant_id', '=', tenantId)
        .where('id', '=', (eb) =>
          eb
            .selectFrom('tenant_jobs')
            .select('id')
            .where('tenant_id', '=', tenantId)
            .where(isDue(lease.now))
            .orderBy('run_at')
            .orderBy('id')
            .limit(1)
            .forUpdate()
            .skipLocked(),
        )
        .returning(CLAIMED)
        .executeTakeFirst(),
    ),
  update: async (tx, job, change) =>
    (
      await tx
        .updateTable('tenant_jobs')
        .set(change)
        .where('tenant_id', '=', tenantId)
        .where('id', '=', job.id)
        .where('locked_by', '=', job.locked_by)
        .executeTakeFirst()
    ).numUpdatedRows === 1n,
  delete: async (tx, job) =>
    (
      await tx
        .deleteFrom('tenant_jobs')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', job.id)
        .where('locked_by', '=', job.locked_by)
        .executeTakeFirst()
    ).numDeletedRows === 1n,
})

const systemQueue: JobQueries = {
  claim: async (tx, lease) =>
    asClaimed(
      await tx
        .updateTable('system_jobs')
        .set(claimed(lease))
        .where('id', '=', (eb) =>
          eb
            .selectFrom('system_jobs')
            .select('id')
            .where(isDue(lease.now))
            .orderBy('run_at')
            .orderBy('id')
            .limit(1)
            .forUpdate()
            .skipLocked(),
        )
        .returning(CLAIMED)
        .executeTakeFirst(),
    ),
  update: async (tx, job, change) =>
    (
      await tx
        .updateTable('system_jobs')
        .set(change)
        .where('id', '=', job.id)
        .where('locked_by', '=', job.locked_by)
        .executeTakeFirst()
    ).numUpdatedRows === 1n,
  delete: async (tx, job) =>
    (
      await tx
        .deleteFrom('system_jobs')
        .where('id', '=', job.id)
        .where('locked_by', '=', job.locked_by)
        .executeTakeFirst()
    ).numDeletedRows === 1n,
}
