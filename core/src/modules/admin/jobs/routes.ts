import { conflict, defineRoute, Page, type Route, Streamed } from '#kernel'
import { answerList, asFile } from '../list-file.ts'
import { removeJob, retryJob } from './acts.ts'
import { jobList } from './jobs.ts'
import { Job, JobParams, JobQuery } from './schema.ts'

/** Acts on a job are recorded in its tenant too. */
const toJob = {
  access: { operator: ['operations'] },
  entersTenants: true,
  params: JobParams,
  errors: [conflict],
} as const // words are types

export const jobRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/admin/jobs',
    name: 'listJobs',
    summary: 'List the jobs of all tenants and of none',
    description:
      'The newest first: those that wait, run or were given up; what is done is gone. With `Accept: text/csv` all that the filters let through come as one file, whatever `limit` and `cursor` say; that is recorded.',
    access: { operator: ['operations'] },
    ...asFile(Page(Job)),
    query: JobQuery,
    response: { 200: Streamed },
    handler: (ctx, { query, headers }) => answerList(ctx, headers, jobList(query)),
  }),
  defineRoute({
    ...toJob,
    method: 'POST',
    path: '/admin/jobs/:id/retry',
    name: 'retryJob',
    summary: 'Run a failed job again',
    description: 'At once, and as often as a new one. 409 unless it was given up.',
    response: { 200: Job },
    handler: (ctx, { params }) => retryJob(ctx, params.id),
  }),
  defineRoute({
    ...toJob,
    method: 'DELETE',
    path: '/admin/jobs/:id',
    name: 'deleteJob',
    summary: 'Delete a job that waits or was given up',
    description: 'What it was to do is not done. 409 while it runs.',
    response: { 204: null },
    handler: (ctx, { params }) => removeJob(ctx, params.id),
  }),
]
