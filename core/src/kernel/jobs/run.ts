import type { TObject } from 'typebox'
import { type Clock, fromNow, MINUTES, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import type { Tx } from '../db/tables.ts'
import { newId } from '../ids.ts'
import { messageOf } from '../system-errors.ts'
import type { Together } from './define.ts'
import type { Visit } from './outbound-visit.ts'
import { perform, performTogether } from './perform.ts'
import { type ClaimedJob, getQueue, type JobChange, type JobQueries, type LeaseTimes } from './queries.ts'
import { tasksNow } from './resting.ts'
import { runThrottled } from './throttled.ts'

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
  /** Each job by itself, and no other turn of the tenant beside this one. */
  isThrottled: boolean
  queue: JobQueries
  /** Of an outbound turn in a worker: the place that it is in. */
  visit: Visit | undefined
  goesOn(): boolean
}

/** The next job, claimed in the commit that ended the previous one; null: none was due; undefined: not looked up. */
type Next = ClaimedJob | null | undefined

/**
 * Runs due jobs of one tenant (null: of none) until there are no more or the slice is used up; returns whether more may
 * be waiting. Several workers may run for one tenant: each claims other rows. For one that is throttled only one does.
 */
export async function runDueJobs(
  core: Core,
  tenantId: string | null,
  stopping: AbortSignal,
  outbound = false,
  visit?: Visit,
): Promise<boolean> {
  const isThrottled = tenantId !== null && (await core.throttled.has(tenantId))
  const until = performance.now() + SLICE_MS
  const goesOn = () => performance.now() < until && !stopping.aborted && !visit?.hasLeft()
  const tasks = await tasksNow(core, tenantId)
  if (tasks?.length === 0) return false
  const queue = getQueue(tenantId, outbound, tasks)
  const turn: Turn = { core, tenantId, outbound, isThrottled, queue, visit, goesOn }
  return isThrottled ? runThrottled(core, { tenantId, outbound }, () => runTurn(turn)) : runTurn(turn)
}

async function runTurn(turn: Turn): Promise<boolean> {
  const { core, tenantId, goesOn } = turn
  let next: Next
  do {
    next ??= await core.db.transaction({ tenantId, role: 'app' }, (tx) => claim(turn, tx))
    if (!next) return false
    next = await runJob(turn, next)
    if (next === null) return false
  } while (next || goesOn())
  return true
}

async function claim({ core, queue, visit }: Turn, tx: Tx): Promise<ClaimedJob | null> {
  const job = (await queue.claim(tx, leaseOf(core, newId()), visit?.passOver() ?? [])) ?? null
  visit?.hasClaimed(job)
  return job
}

const leaseOf = ({ clock }: Core, locked_by: string) => ({
  ...leaseTimes(clock),
  locked_until: fromNow(clock, LEASE_MS),
  locked_by,
})

/** Between which moments a lease ends that is held now. */
export const leaseTimes = (clock: Clock): LeaseTimes => ({
  now: clock.now(),
  furthest: fromNow(clock, FURTHEST_LEASE_MS),
})

async function runJob(turn: Turn, job: ClaimedJob): Promise<Next> {
  const { core, queue, tenantId, isThrottled } = turn
  const together = core.registry.findJob(job.task)?.together
  // What was tried before may be what fails, or ends its process, and takes no others with it.
  if (!together || isThrottled || job.attempts > 1) return runAlone(turn, job)
  const more = await core.db.transaction({ tenantId, role: 'app' }, (tx) =>
    queue.claimMore(tx, leaseOf(core, job.locked_by), job.task, together.max - 1),
  )
  return more.length === 0 ? runAlone(turn, job) : runTogether(turn, [job, ...more], together)
}

async function runTogether(turn: Turn, jobs: ClaimedJob[], { handler }: Together<TObject>): Promise<Next> {
  const { core, tenantId } = turn
  const stopRenewing = keepLease(turn, jobs)
  try {
    const failures = await performTogether(core, tenantId, { jobs, handler }).catch((error: unknown) => {
      core.log.warn({ err: error, task: jobs[0]?.task, jobs: jobs.length }, 'jobs failed together and run alone')
      return null
    })
    // Awaited, so that the others are held until it is their turn.
    if (failures === null) return await runEach(turn, jobs)
    const done = jobs.filter((_, place) => !failures.has(place))
    // What another process has taken over meanwhile stays, and is its own to end.
    const { ended, next } = await core.db.transaction({ tenantId, role: 'app' }, (tx) => finish(turn, tx, done))
    for (const { task } of done.slice(0, ended)) count(turn, task, 'done')
    for (const [place, failure] of failures) if (jobs[place]) await retryLater(turn, jobs[place], failure)
    return next
  } finally {
    stopRenewing()
  }
}

/** Runs them one by one while the turn lasts, and leaves the others to the next. */
async function runEach(turn: Turn, jobs: readonly ClaimedJob[]): Promise<undefined> {
  for (const [place, job] of jobs.entries()) {
    if (place > 0 && !turn.goesOn())
      return void (await change(turn, jobs.slice(place), { locked_until: null, locked_by: null }))
    const isHeld = await change(turn, [job], { locked_until: fromNow(turn.core.clock, LEASE_MS) })
    if (isHeld) await runAlone({ ...turn, goesOn: () => false }, job)
  }
}

async function runAlone(turn: Turn, job: ClaimedJob): Promise<Next> {
  const { core } = turn
  const stopRenewing = keepLease(turn, [job])
  const hasEnded = turn.visit?.begin(job)
  try {
    if (job.attempts > job.max_attempts + LOST_RUNS) throw new Error('The process ended each time that this job ran')
    const next = await perform(core, turn.tenantId, job, ({ tx }) => finishOne(turn, tx, job))
    count(turn, job.task, 'done')
    return next
  } catch (error) {
    if (error instanceof LeaseLost) core.log.warn({ task: job.task, job_id: job.id }, error.message)
    else await retryLater(turn, job, error)
    return undefined
  } finally {
    hasEnded?.()
    stopRenewing()
  }
}

/** Renews the lease up to the job's own limit; a longer job counts as hung and may be taken over. */
function keepLease(turn: Turn, jobs: ClaimedJob[]): () => void {
  const { core } = turn
  const task = jobs[0]?.task ?? ''
  const limitMs = core.registry.findJob(task)?.leaseMs ?? Number.POSITIVE_INFINITY
  let heldMs = 0
  const timer = setInterval(() => {
    heldMs += LEASE_MS / 3
    if (heldMs > limitMs) return
    change(turn, jobs, { locked_until: fromNow(core.clock, LEASE_MS) }).catch((error: Error) =>
      core.log.warn({ err: error, task, job_id: jobs[0]?.id }, 'the lease of a job could not be renewed'),
    )
  }, LEASE_MS / 3)
  return () => clearInterval(timer)
}

class LeaseLost extends Error {
  constructor() {
    super('another process took over a job')
  }
}

/** Ends jobs and claims the next in the same commit, which halves the commits of a long queue. */
async function finish(turn: Turn, tx: Tx, jobs: ClaimedJob[]): Promise<{ ended: number; next: Next }> {
  const [ended, next] = await Promise.all([
    jobs.length === 0 ? 0 : turn.queue.delete(tx, claimOf(jobs)),
    turn.goesOn() ? claim(turn, tx) : undefined,
  ])
  return { ended, next }
}

async function finishOne(turn: Turn, tx: Tx, job: ClaimedJob): Promise<Next> {
  const { ended, next } = await finish(turn, tx, [job])
  if (ended === 0) throw new LeaseLost()
  return next
}

const claimOf = (jobs: readonly ClaimedJob[]) => ({
  ids: jobs.map(({ id }) => id),
  locked_by: jobs[0]?.locked_by ?? '',
})

async function retryLater(turn: Turn, job: ClaimedJob, error: unknown): Promise<void> {
  const { core, tenantId } = turn
  const failed = job.attempts >= job.max_attempts
  count(turn, job.task, failed ? 'failed' : 'retried')
  core.log[failed ? 'error' : 'warn'](
    { err: error, task: job.task, job_id: job.id, attempt: job.attempts },
    'a job failed',
  )
  const runAt = fromNow(core.clock, backoffMs(job.attempts))
  await change(turn, [job], {
    status: failed ? 'failed' : 'waiting',
    run_at: runAt,
    locked_until: null,
    locked_by: null,
    last_error: messageOf(error).slice(0, 2_000),
  })
  if (!failed) core.wake(tenantId, runAt, turn.outbound)
}

/** Counts an attempt, for the metrics and for its tenant. */
function count({ core, tenantId }: Turn, task: string, result: 'done' | 'retried' | 'failed'): void {
  core.jobsDone?.(task, result)
  const tally = core.load.of(tenantId)
  tally.jobs++
  if (result !== 'done') tally.errors++
}

/** 1 s, 3 s, 9 s … capped, with a quarter of jitter. */
export function backoffMs(attempts: number): number {
  return Math.min(3 ** (attempts - 1) * SECONDS, MAX_BACKOFF_MS) * (0.875 + Math.random() / 4)
}

/** False when another process has taken all of them over. */
async function change(
  { core, tenantId, queue }: Turn,
  jobs: readonly ClaimedJob[],
  values: JobChange,
): Promise<boolean> {
  const changed = await core.db.transaction({ tenantId, role: 'app' }, (tx) => queue.update(tx, claimOf(jobs), values))
  return changed > 0
}
