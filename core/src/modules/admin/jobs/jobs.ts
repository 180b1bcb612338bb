import { type LeaseTimes, leaseTimes, pageFrom, pickFields } from '#kernel'
import { byRows, type Filed } from '../list-file.ts'
import { jobsExported } from './events.ts'
import { type JobRow, listJobs } from './queries.ts'
import { Job, type JobFilter } from './schema.ts'

/** All jobs that match, of tenants and of none, the newest first. */
export function jobList({ status, task, tenant_id }: JobFilter): Filed<Job> {
  const filter = { status, task, tenant_id }
  return byRows<JobRow, Job>({
    name: 'jobs',
    item: Job,
    async page(ctx) {
      const times = leaseTimes(ctx.clock)
      const read = (after: readonly string[] | null, limit: number) =>
        listJobs(ctx.tx, filter, { times, after: after?.[0] ?? null, limit })
      const { data, next_cursor } = await pageFrom(ctx, read)
      return { data: data.map((row) => presentJob(row, times)), next_cursor }
    },
    rowsAfter: (ctx, last, limit) =>
      listJobs(ctx.tx, filter, { times: leaseTimes(ctx.clock), after: last?.id ?? null, limit }),
    present: (ctx, row) => presentJob(row, leaseTimes(ctx.clock)),
    record(ctx) {
      const after = { status: status ?? null, task: task ?? null, tenant_id: tenant_id ?? null }
      return ctx.emit(jobsExported, { id: null, after, storeId: null })
    },
  })
}

export const presentJob = (row: JobRow, times: LeaseTimes): Job =>
  pickFields(Job, { ...row, status: isRunning(row, times) ? 'running' : row.status })

/** Whether some process is at it. One that died is noticed when its lease ends. */
export function isRunning({ status, locked_until }: JobRow, { now, furthest }: LeaseTimes): boolean {
  return status === 'waiting' && locked_until !== null && locked_until > now && locked_until <= furthest
}
