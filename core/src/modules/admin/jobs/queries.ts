import { GREATEST_ID, type LeaseTimes, sql, type Tx } from '#kernel'
import type { JobFilter } from './schema.ts'

// Everything here reads across tenants: for the system role.

/** What is known of a job here: not what it is about, which may hold secrets. */
export interface JobRow {
  id: string
  task: string
  /** As it is stored: of a waiting one its lease tells whether it runs. */
  status: 'waiting' | 'failed'
  attempts: number
  max_attempts: number
  last_error: string | null
  run_at: string
  outbound: boolean
  locked_until: string | null
  /** Null: it belongs to no tenant. */
  tenant_id: string | null
}

const COLUMNS = [
  'id',
  'task',
  'status',
  'attempts',
  'max_attempts',
  'last_error',
  'run_at',
  'outbound',
  'locked_until',
] as const // names type the row

const selectOfTenants = (tx: Tx) => tx.selectFrom('tenant_jobs').select([...COLUMNS, 'tenant_id'])
const selectOfNone = (tx: Tx) =>
  tx.selectFrom('system_jobs').select(COLUMNS).select(sql<string | null>`null::uuid`.as('tenant_id'))

export interface JobPlace {
  times: LeaseTimes
  /** Older than the job of this id; null: from the newest on. */
  after: string | null
  limit: number
}

/** The jobs that match, the newest first. Each part is read in the order of an index of its own, and no further than asked for. */
export async function listJobs(tx: Tx, filter: JobFilter, { times, after, limit }: JobPlace): Promise<JobRow[]> {
  const { status, task, tenant_id } = filter
  const parts = status ? [isOf(status, times)] : [FAILED, QUEUED]
  const found = await Promise.all(
    parts.flatMap((part) => {
      const matching = sql<boolean>`${part} and id < ${after ?? GREATEST_ID} ${task === undefined ? sql`` : sql`and task = ${task}`}`
      const ofTenants = selectOfTenants(tx).where(matching).orderBy('id', 'desc').limit(limit)
      if (tenant_id !== undefined) return [ofTenants.where('tenant_id', '=', tenant_id.toLowerCase()).execute()]
      const ofNone = selectOfNone(tx).where(matching).orderBy('id', 'desc').limit(limit)
      return [ofTenants.execute(), ofNone.execute()] as Promise<JobRow[]>[] // the same columns
    }),
  )
  // One that was given up between two of the queries is in both.
  const jobs = new Map(found.flat().map((job) => [job.id, job]))
  return [...jobs.values()].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, limit)
}

const FAILED = sql<boolean>`status = 'failed'`
const QUEUED = sql<boolean>`status = 'waiting'`

function isOf(status: NonNullable<JobFilter['status']>, { now, furthest }: LeaseTimes) {
  if (status === 'failed') return FAILED
  if (status === 'waiting')
    return sql<boolean>`${QUEUED} and (locked_until is null or locked_until <= ${now} or locked_until > ${furthest})`
  // Whoever runs one has counted the attempt, and jobs of which that is so have an index.
  return sql<boolean>`${QUEUED} and attempts > 0 and run_at <= ${furthest} and locked_until > ${now} and locked_until <= ${furthest}`
}

/** The job, locked until the transaction ends: nobody begins it meanwhile. Undefined: there is none. */
export async function lockJob(tx: Tx, id: string): Promise<JobRow | undefined> {
  const ofNone = await selectOfNone(tx).where('id', '=', id).forUpdate().executeTakeFirst()
  if (ofNone) return ofNone
  // In two parts, each of which has an index.
  const [failed, queued] = await Promise.all(
    [FAILED, QUEUED].map((part) => selectOfTenants(tx).where('id', '=', id).where(part).executeTakeFirst()),
  )
  const found = failed ?? queued
  if (!found) return undefined
  return selectOfTenants(tx)
    .where('tenant_id', '=', found.tenant_id)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

type Located = Pick<JobRow, 'id' | 'tenant_id'>

/** A failed job is to run from now on, as often as a new one. */
export const updateJobRetried = (tx: Tx, { id, tenant_id }: Located, now: string): Promise<unknown> =>
  tx
    .updateTable(tableOf(tenant_id))
    .set({ status: 'waiting', attempts: 0, run_at: now, locked_until: null, locked_by: null })
    .where(isIn(tenant_id))
    .where('id', '=', id)
    .execute()

export const deleteJob = (tx: Tx, { id, tenant_id }: Located): Promise<unknown> =>
  tx.deleteFrom(tableOf(tenant_id)).where(isIn(tenant_id)).where('id', '=', id).execute()

// A tenant's table has all the columns of the other, and its own.
const tableOf = (tenantId: string | null) => (tenantId === null ? 'system_jobs' : 'tenant_jobs') as 'system_jobs'
const isIn = (tenantId: string | null) =>
  tenantId === null ? sql<boolean>`true` : sql<boolean>`tenant_id = ${tenantId}`
