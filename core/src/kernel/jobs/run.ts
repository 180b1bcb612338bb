import { Value } from 'typebox/value'
import { fromNow, MINUTES, SECONDS } from '../clock.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { createContext } from '../create-context.ts'
import type { Tx } from '../db/tables.ts'
import type { EventRecord } from '../events/define.ts'
import { newId } from '../ids.ts'
import { messageOf } from '../system-errors.ts'
import type { JobOrigin } from './enqueue.ts'
import { type ClaimedJob, getQueue, type JobChange, type JobQueries } from './queries.ts'

/** A running job renews its lease; after a crash another process takes over after this time. */
export const LEASE_MS = 60 * SECONDS
const FURTHEST_LEASE_MS = LEASE_MS + 10 * MINUTES
/** The longest time that a tenant keeps a worker's slot before others get their turn. */
const SLICE_MS = 1 * SECONDS
export const MAX_BACKOFF_MS = 6 * 60 * MINUTES
/** A job whose process died may run this many times more than its attempts; then it counts as the cause. */
const LOST_RUNS = 5

/** A worker's turn for one tenant. */
interface Turn {
  core: Core
  tenantId: string | null
  outbound: boolean
  queue: JobQueries
  goesOn(): boolean
}

/** The next job, claimed in the commit that ended the previous one; null: none was due; undefined: not looked up. */
type Next = ClaimedJob | null | undefined

/**
 * Runs due jobs of one tenant (null: of none) until there are no more or the slice is used up; returns whether more may
 * be waiting. Several workers may run for one tenant: each claims other rows.
 */
export async function runDueJobs(
  core: Core,
  tenantId: string | null,
  stopping: AbortSignal,
  outbound = false,
): Promise<boolean> {
  const until = performance.now() + SLICE_MS
  const goesOn = () => performance.now() < until && !stopping.aborted
  const turn: Turn = { core, tenantId, outbound, queue: getQueue(tenantId, outbound), goesOn }
  let next: Next
  do {
    next ??= await core.db.transaction({ tenantId, role: 'app' }, (tx) => claim(turn, tx))
    if (!next) return false
    next = await runJob(turn, next)
    if (next === null) return false
  } while (next || goesOn())
  return true
}

async function claim({ core, queue }: Turn, tx: Tx): Promise<ClaimedJob | null> {
  const lease = {
    now: core.clock.now(),
    furthest: fromNow(core.clock, FURTHEST_LEASE_MS),
    locked_until: fromNow(core.clock, LEASE_MS),
    locked_by: newId(),
  }
  return (await queue.claim(tx, lease)) ?? null
}

async function runJob(turn: Turn, job: ClaimedJob): Promise<Next> {
  const { core } = turn
  const stopRenewing = keepLease(turn, job)
  try {
    if (job.attempts > job.max_attempts + LOST_RUNS) throw new Error('The process ended each time that this job ran')
    const next = await perform(turn, job)
    core.jobsDone?.(job.task, 'done')
    return next
  } catch (error) {
    if (error instanceof LeaseLost) core.log.warn({ task: job.task, job_id: job.id }, error.message)
    else await retryLater(turn, job, error)
    return undefined
  } finally {
    stopRenewing()
  }
}

/** Renews the lease up to the job's own limit; a longer job counts as hung and may be taken over. */
function keepLease(turn: Turn, job: ClaimedJob): () => void {
  const { core } = turn
  const limitMs = core.registry.findJob(job.task)?.leaseMs ?? Number.POSITIVE_INFINITY
  let heldMs = 0
  const timer = setInterval(() => {
    heldMs += LEASE_MS / 3
    if (heldMs > limitMs) return
    change(turn, job, { locked_until: fromNow(core.clock, LEASE_MS) }).catch((error: Error) =>
      core.log.warn({ err: error, task: job.task, job_id: job.id }, 'the lease of a job could not be renewed'),
    )
  }, LEASE_MS / 3)
  return () => clearInterval(timer)
}

async function perform(turn: Turn, job: ClaimedJob): Promise<Next> {
  const { core, tenantId } = turn
  const { mode, handle } = resolveTask(core, job)
  const { actor, storeId, requestId } = job.origin as JobOrigin // written by insertJobs
  const ctx = createContext(core, {
    tenant: tenantId,
    storeId,
    actor,
    origin: { requestId, ipAddress: null, userAgent: null },
  })
  if (mode === 'managed') {
    // The effect and the end of a job are one commit: when another process has taken the job over, its changes here are
    // rolled back.
    return ctx.transaction(async (inner) => {
      await handle(inner)
      return finish(turn, inner.tx, job)
    })
  }
  await handle(ctx)
  return ctx.transaction((inner) => finish(turn, inner.tx, job))
}

/** The job or listener of a task name. */
function resolveTask(core: Core, job: ClaimedJob): { mode: 'managed' | 'manual'; handle: (ctx: Ctx) => Promise<void> } {
  const listener = core.registry.findListener(job.task)
  if (listener) return { mode: 'managed', handle: (ctx) => listener.handle(ctx, job.payload as EventRecord<never>) } // written by emitEvent
  const definition = core.registry.findJob(job.task)
  if (!definition) throw new Error(`No module of this core knows the task ${job.task}`)
  if (!Value.Check(definition.payload, job.payload))
    throw new Error(`The payload of ${job.task} has another shape than declared`)
  const payload = job.payload
  return { mode: definition.transaction, handle: (ctx) => definition.handler(ctx, payload as never) } // checked just above
}

class LeaseLost extends Error {
  constructor() {
    super('another process took over a job')
  }
}

/** Ends a job and claims the next in the same commit, which halves the commits of a long queue. */
async function finish(turn: Turn, tx: Tx, job: ClaimedJob): Promise<Next> {
  const [ended, next] = await Promise.all([turn.queue.delete(tx, job), turn.goesOn() ? claim(turn, tx) : undefined])
  if (!ended) throw new LeaseLost()
  return next
}

async function retryLater(turn: Turn, job: ClaimedJob, error: unknown): Promise<void> {
  const { core, tenantId } = turn
  const failed = job.attempts >= job.max_attempts
  core.jobsDone?.(job.task, failed ? 'failed' : 'retried')
  core.log[failed ? 'error' : 'warn'](
    { err: error, task: job.task, job_id: job.id, attempt: job.attempts },
    'a job failed',
  )
  const runAt = fromNow(core.clock, backoffMs(job.attempts))
  await change(turn, job, {
    status: failed ? 'failed' : 'waiting',
    run_at: runAt,
    locked_until: null,
    locked_by: null,
    last_error: messageOf(error).slice(0, 2_000),
  })
  if (!failed) core.wake(tenantId, runAt, turn.outbound)
}

/** 1 s, 3 s, 9 s … capped, with a quarter of jitter. */
export function backoffMs(attempts: number): number {
  return Math.min(3 ** (attempts - 1) * SECONDS, MAX_BACKOFF_MS) * (0.875 + Math.random() / 4)
}

async function change({ core, tenantId, queue }: Turn, job: ClaimedJob, values: JobChange): Promise<void> {
  await core.db.transaction({ tenantId, role: 'app' }, (tx) => queue.update(tx, job, values))
}
