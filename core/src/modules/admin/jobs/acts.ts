import { type Ctx, conflict, type EventDefinition, insideTenant, leaseTimes, notFound, wakeWorker } from '#kernel'
import { jobDeletedByOperator, jobRetriedByOperator } from './events.ts'
import { isRunning, presentJob } from './jobs.ts'
import { deleteJob, type JobRow, lockJob, updateJobRetried } from './queries.ts'
import type { Job } from './schema.ts'

// Each works in a transaction of the system role, outside of any tenant, and leaves a record in the log of the installation, and the same in that of
// the job's tenant. Each throws 404 for no job. Of several at once one does it, since the job is locked.

/** Has a job that was given up run at once, as often as a new one. Throws 409 `conflict` for any other. Gives it as it is then. */
export async function retryJob(ctx: Ctx, jobId: string): Promise<Job> {
  const job = await requireJob(ctx, jobId)
  if (job.status !== 'failed') throw conflict({ detail: 'Only a job that was given up is run again' })
  const runAt = ctx.clock.now()
  await updateJobRetried(ctx.tx, job, runAt)
  const after: JobRow = { ...job, status: 'waiting', attempts: 0, run_at: runAt, locked_until: null }
  await record(ctx, jobRetriedByOperator, job, after)
  wakeWorker(job.tenant_id === null ? ctx : insideTenant(ctx, job.tenant_id), { runAt, outbound: job.outbound })
  return presentJob(after, leaseTimes(ctx.clock))
}

/** Deletes a job: what it was to do is not done. Throws 409 `conflict` while it runs. */
export async function removeJob(ctx: Ctx, jobId: string): Promise<void> {
  const job = await requireJob(ctx, jobId)
  if (isRunning(job, leaseTimes(ctx.clock))) throw conflict({ detail: 'It runs at the moment' })
  await deleteJob(ctx.tx, job)
  await record(ctx, jobDeletedByOperator, job)
}

async function requireJob({ tx }: Ctx, id: string): Promise<JobRow> {
  const job = await lockJob(tx, id.toLowerCase())
  if (!job) throw notFound()
  return job
}

/** In the log of the installation, and in that of its tenant. */
async function record(
  ctx: Ctx,
  event: EventDefinition<typeof jobRetriedByOperator.data>,
  before: JobRow,
  after?: JobRow,
): Promise<void> {
  const content = { before: asAct(before), ...(after && { after: asAct(after) }), label: before.task, storeId: null }
  await ctx.emit(event, content)
  if (before.tenant_id !== null) await insideTenant(ctx, before.tenant_id).emit(event, content)
}

const asAct = ({ id, task, status, attempts, tenant_id }: JobRow) => ({ id, task, status, attempts, tenant_id })
