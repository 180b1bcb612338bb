import { type Compilable, type Insertable, sql } from 'kysely'
import type { TObject } from 'typebox'
import { Value } from 'typebox/value'
import type { Ctx } from '../context.ts'
import { coreOf } from '../core-of.ts'
import { sendUnawaited } from '../db/kysely.ts'
import type { JobTable } from '../db/tables.ts'
import { newId } from '../ids.ts'
import type { EnqueueOptions, Job } from './define.ts'

interface NewJob {
  task: string
  payload: unknown
  maxAttempts: number
  outbound?: boolean
  runAt?: string
  dedupeKey?: string
}

/** Who enqueued a job: it acts in their name. */
export interface JobOrigin {
  actor: Ctx['actor']
  storeId: string | null
  requestId: string | null
}

/** Adds a job in the transaction of `ctx`; a worker is woken after the commit. */
export async function enqueueJob(ctx: Ctx, job: Job, payload: unknown, options: EnqueueOptions = {}): Promise<void> {
  if (!ctx.registry.findJob(job.name)) throw new Error(`Job ${job.name} belongs to no module of this core`)
  if (!Value.Check(job.payload as TObject, payload))
    throw new Error(`The payload of ${job.name} has another shape than declared`)
  const { name: task, maxAttempts } = job
  insertJobs(ctx, [{ task, payload, maxAttempts, outbound: job.outbound !== false, ...options }])
}

/** Not awaited: the transaction fails if it does. */
export function insertJobs(ctx: Ctx, jobs: NewJob[]): void {
  const now = ctx.clock.now()
  const origin: JobOrigin = { actor: ctx.actor, storeId: ctx.recordedStoreId, requestId: ctx.origin.requestId }
  const rows = jobs.map((job) => ({
    id: newId(),
    task: job.task,
    payload: JSON.stringify(job.payload),
    origin: JSON.stringify(origin),
    dedupe_key: job.dedupeKey ?? null,
    max_attempts: job.maxAttempts,
    run_at: job.runAt ?? now,
    outbound: job.outbound ?? false,
    locked_until: null,
    locked_by: null,
    last_error: null,
    created_at: now,
  }))
  sendUnawaited(ctx.tx, insertion(ctx, rows).compile())
  const { run_at: runAt = now, outbound = false } = rows[0] ?? {}
  wakeWorker(ctx, { runAt, outbound })
}

/** Once this transaction has committed, a worker looks for jobs of the context's tenant, or of none. */
export function wakeWorker(ctx: Ctx, { runAt, outbound }: { runAt: string; outbound: boolean }): void {
  ctx.afterCommit(() => coreOf(ctx).wake(ctx.tenant, runAt, outbound))
}

type NewRow = Insertable<JobTable>

function insertion({ tx, tenant }: Ctx, rows: NewRow[]): Compilable {
  const isKeyed = rows.some(({ dedupe_key }) => dedupe_key !== null)
  if (tenant === null) {
    const query = tx.insertInto('system_jobs').values(rows)
    return isKeyed ? query.onConflict((same) => same.column('dedupe_key').doUpdateSet(sooner('system_jobs'))) : query
  }
  const query = tx.insertInto('tenant_jobs').values(rows.map((row) => ({ tenant_id: tenant, ...row })))
  if (!isKeyed) return query
  return query.onConflict((same) =>
    same.columns(['tenant_id', 'dedupe_key']).where('dedupe_key', 'is not', null).doUpdateSet(sooner('tenant_jobs')),
  )
}

/**
 * Updates the waiting job with the same key, which locks it until this transaction commits: a worker that took it
 * before would not see the changes of this transaction.
 */
const sooner = (table: 'tenant_jobs' | 'system_jobs') => ({
  run_at: sql<string>`least(${sql.table(table)}.run_at, excluded.run_at)`,
})
