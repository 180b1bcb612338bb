import { Closed, defineEvent, Nullable, Type } from '#kernel'
import { JobAct } from './schema.ts'

const about = { data: JobAct, resource: 'job' }

export const jobRetriedByOperator = defineEvent('admin.job_retried', {
  description: 'An operator had a job run again that had been given up',
  ...about,
})
export const jobDeletedByOperator = defineEvent('admin.job_deleted', {
  description: 'An operator deleted a job: what it was to do is not done',
  ...about,
})
export const jobsExported = defineEvent('admin.jobs_exported', {
  description: 'The list of jobs left the installation as a file',
  data: Closed({
    status: Nullable(Type.String({ description: 'Of this status alone' })),
    task: Nullable(Type.String({ description: 'Of this kind alone' })),
    tenant_id: Nullable(Type.String({ description: 'In this tenant alone' })),
  }),
  resource: 'job',
})
