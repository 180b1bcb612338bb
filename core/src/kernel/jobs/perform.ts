import type { TObject } from 'typebox'
import { Value } from 'typebox/value'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { createContext, noOrigin, systemActor } from '../create-context.ts'
import type { EventRecord } from '../events/define.ts'
import type { Failures, Together } from './define.ts'
import type { JobOrigin } from './enqueue.ts'
import type { ClaimedJob } from './queries.ts'

/** Ends what ran, in the transaction of a context. */
type End<T> = (inner: Ctx) => Promise<T>

/** Runs a job in the name of whoever enqueued it. */
export async function perform<T>(core: Core, tenant: string | null, job: ClaimedJob, end: End<T>): Promise<T> {
  const { mode, handle } = resolveTask(core, job)
  const { actor, storeId, requestId } = job.origin as JobOrigin // written by insertJobs
  const ctx = createContext(core, { tenant, storeId, actor, origin: { ...noOrigin, requestId } })
  if (mode === 'managed') {
    // The effect and the end of a job are one commit: when another process has taken the job over, its changes here are
    // rolled back.
    return ctx.transaction(async (inner) => {
      await handle(inner)
      return end(inner)
    })
  }
  await handle(ctx)
  return ctx.transaction(end)
}

/** Runs several jobs of a task in one call, in nobody's name; gives what failed. */
export async function performTogether(
  core: Core,
  tenant: string | null,
  { jobs, handler }: Pick<Together<TObject>, 'handler'> & { jobs: readonly ClaimedJob[] },
): Promise<Failures> {
  const payloads = jobs.map((job) => payloadOf(core, job))
  return handler(createContext(core, { tenant, storeId: null, actor: systemActor, origin: noOrigin }), payloads)
}

/** The job or listener of a task name. */
function resolveTask(core: Core, job: ClaimedJob): { mode: 'managed' | 'manual'; handle: (ctx: Ctx) => Promise<void> } {
  const listener = core.registry.findListener(job.task)
  if (listener) return { mode: 'managed', handle: (ctx) => listener.handle(ctx, job.payload as EventRecord<never>) } // written by emitEvent
  const definition = core.registry.findJob(job.task)
  if (!definition) throw new Error(`No module of this core knows the task ${job.task}`)
  const payload = payloadOf(core, job)
  return { mode: definition.transaction, handle: (ctx) => definition.handler(ctx, payload) }
}

function payloadOf({ registry }: Core, { task, payload }: ClaimedJob): never {
  const definition = registry.findJob(task)
  if (!definition || !Value.Check(definition.payload, payload))
    throw new Error(`The payload of ${task} has another shape than declared`)
  return payload as never // as the handler wants it
}
