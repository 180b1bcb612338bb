import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, type Runner, type RunnerOptions, run, type TaskList } from 'graphile-worker'
import { HOURS, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import { tidyMonths } from '../db/months.ts'
import { forgetInboundMessages } from '../inbound/tidy.ts'
import { startLooking } from './due-wakes.ts'
import { createOutboundPlaces } from './outbound-places.ts'
import { createOutboundTasks } from './outbound-tasks.ts'
import { createQueuePool } from './queue-pool.ts'
import { tasksWhileResting } from './resting.ts'
import { runDueJobs } from './run.ts'
import { cronItems, RUN_OUTBOUND_TASK, RUN_TASK, SWEEP, scheduledTask, TIDY, type WakePayload } from './schedules.ts'
import { createSlowPlaces } from './slow-places.ts'
import { startUpkeep } from './upkeep.ts'

/** The maximum number of simultaneous jobs of a tenant, over all processes. */
const LANES = 4
const PARALLEL_WAKES = 2
/** Jobs of one tenant that become due within the same step share a wake. */
const WAKE_STEP_MS = 250
const SKEW_MS = 20

/**
 * Wakes a worker for a tenant that has jobs. A wake is a hint sent after the commit; when one is lost, the sweep finds
 * the jobs. Wakes are queued in order and contain no jobs, so after each slice a tenant with 100,000 jobs waits behind
 * a tenant with one. That makes it fair.
 */
export function createWaker(core: Pick<Core, 'db' | 'clock' | 'log'>) {
  const pending = new Set<string>()
  const queue: Wake[] = []
  let sending = 0

  async function send(): Promise<void> {
    sending++
    for (let next = queue.shift(); next; next = queue.shift()) {
      pending.delete(next.key)
      await addWake(core, next).catch((error: Error) =>
        core.log.warn({ err: error }, 'a worker could not be woken; the sweep will find the work'),
      )
    }
    sending--
  }

  const wake = (tenantId: string | null, runAt: string, outbound = false) => {
    const delayMs = Date.parse(runAt) - core.clock.ms()
    // The queue uses the machine's clock, so only the delay is passed on. Wake times are rounded up, so that all jobs
    // that share one are due by then, also with clocks that differ slightly.
    const at = delayMs > 0 ? Math.ceil((Date.now() + delayMs + SKEW_MS) / WAKE_STEP_MS) * WAKE_STEP_MS : null
    const key = `${tenantId ?? 'system'}:${outbound ? 'out:' : ''}${at === null ? `lane:${Math.floor(Math.random() * LANES)}` : `at:${at}`}`
    if (pending.has(key)) return
    pending.add(key)
    queue.push({ key, tenantId, runAt: at === null ? null : new Date(at).toISOString(), outbound })
    // Sending does not depend on the transaction that caused it.
    if (sending < PARALLEL_WAKES) void core.db.aside(send)
  }
  const idle = async () => {
    while (sending > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { wake, idle }
}

interface Wake {
  key: string
  tenantId: string | null
  /** Null: at once. */
  runAt: string | null
  outbound: boolean
}

function addWake({ db }: Pick<Core, 'db'>, { key, tenantId, runAt, outbound }: Wake) {
  return db.systemQuery(
    `select 1 from ${QUEUE_SCHEMA}.add_job($1, json_build_object('tenant_id', $2::text), run_at => coalesce($3::timestamptz, now()),
      job_key => $4, job_key_mode => 'preserve_run_at', max_attempts => 3)`,
    [outbound ? RUN_OUTBOUND_TASK : RUN_TASK, tenantId, runAt, key],
  )
}

/**
 * Starts a worker for wakes of all tenants and for schedules. Resolves once it listens. Outbound jobs have a runner of
 * their own with more places, so that they cannot occupy others.
 */
export async function startWorker(core: Core, concurrency: number): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController()
  const pool = createQueuePool(core, concurrency)
  const stopUpkeep = await startUpkeep(core)
  const places = createOutboundPlaces(concurrency)
  const outbound = createOutboundTasks(core, { quick: places, slow: createSlowPlaces() }, stopping.signal)
  const stopLooking = startLooking(core, concurrency + places.count)
  const common: RunnerOptions = {
    pgPool: pool,
    schema: QUEUE_SCHEMA,
    concurrency,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    logger: quietLogger(core),
  }
  const startInner = () =>
    run({ ...common, taskList: tasksOf(core, stopping.signal), parsedCronItems: cronItems(core) })
  const startOutbound = () =>
    run({
      ...common,
      concurrency: places.count,
      // As often as the places of the others together.
      pollInterval: (POLL_MS * places.count) / concurrency,
      taskList: outbound.tasks,
      parsedCronItems: [],
    })
  const running: Promise<void>[] = []
  for (const start of [startInner, startOutbound]) {
    running.push(keepRunning(core, start, await start(), stopping.signal))
  }
  await sweepJobs(core)
  const stop = async () => {
    stopping.abort()
    await Promise.all([stopUpkeep(), stopLooking()])
    await Promise.all(running)
    await outbound.ended()
    await pool.end()
  }
  return { stop }
}

const RESTART_MS = 1 * SECONDS
/** Only for what the looks for due wakes have missed. */
const POLL_MS = 30 * SECONDS

/** The queue stops when the database goes away; this restarts it until the process stops. */
async function keepRunning(
  core: Core,
  start: () => Promise<Runner>,
  first: Runner,
  stopping: AbortSignal,
): Promise<void> {
  let runner: Runner | undefined = first
  for (;;) {
    try {
      runner ??= await start()
      await untilEnded(runner, stopping)
    } catch (error) {
      if (!stopping.aborted) core.log.warn({ err: error }, 'the queue stopped working and is started again')
    }
    if (stopping.aborted) return
    runner = undefined
    await sleep(RESTART_MS, undefined, { signal: stopping }).catch(() => {}) // woken by the stop
  }
}

async function untilEnded(runner: Runner, stopping: AbortSignal): Promise<void> {
  const stop = () => void runner.stop().catch(() => {}) // has stopped by a failure, which its promise tells
  if (stopping.aborted) stop()
  else stopping.addEventListener('abort', stop, { once: true })
  try {
    await runner.promise
  } finally {
    stopping.removeEventListener('abort', stop)
  }
}

function tasksOf(core: Core, stopping: AbortSignal): TaskList {
  const tasks: TaskList = {
    [RUN_TASK]: async (payload) => {
      const { tenant_id } = payload as WakePayload // written by addWake
      const more = await runDueJobs(core, tenant_id, stopping)
      // Two wakes, so that a long queue spreads over all lanes; equal ones are merged.
      if (more) for (let wake = 0; wake < 2; wake++) core.wake(tenant_id, core.clock.now())
    },
  }
  const own = [
    { ...SWEEP, handle: () => sweepJobs(core) },
    { ...TIDY, handle: () => tidy(core) },
  ]
  for (const schedule of [...own, ...core.registry.schedules]) tasks[schedule.name] = scheduledTask(core, schedule)
  return tasks
}

/** Wakes every tenant with due jobs that may begin and that no process has claimed. */
export async function sweepJobs(core: Core): Promise<void> {
  const now = core.clock.now()
  const free = "status = 'waiting' and run_at <= $1 and (locked_until is null or locked_until < $1)"
  const resting = (await core.db.systemQuery<{ tenant_id: string }>('select tenant_id from resting_tenants')).map(
    ({ tenant_id }) => tenant_id,
  )
  const ofTenants = await core.db.systemQuery<{ tenant_id: string; outbound: boolean }>(
    `select distinct tenant_id, outbound from tenant_jobs
     where ${free} and (tenant_id <> all($2::uuid[]) or task = any($3::text[])) limit 10000`,
    [now, resting, tasksWhileResting(core)],
  )
  const ofNone = await core.db.systemQuery<{ outbound: boolean }>(
    `select distinct outbound from system_jobs where ${free}`,
    [now],
  )
  for (const { tenant_id, outbound } of ofTenants) core.wake(tenant_id, now, outbound)
  for (const { outbound } of ofNone) core.wake(null, now, outbound)
}

const IDEMPOTENCY_KEPT_MS = 24 * HOURS

/** Creates partitions for the next months, deletes expired idempotency keys and forgets old inbound messages. */
async function tidy(core: Core): Promise<void> {
  await core.db.systemQuery("select tenantry.ensure_partitions('audit_logs', $1::date, 13)", [core.clock.now()])
  await tidyMonths(core)
  const limit = new Date(core.clock.ms() - IDEMPOTENCY_KEPT_MS).toISOString()
  await core.db.systemQuery('delete from idempotency_keys where created_at < $1', [limit])
  await core.db.systemQuery('delete from global_idempotency_keys where created_at < $1', [limit])
  await forgetInboundMessages(core)
}

/** graphile-worker logs every job twice at info and warns about the number of connections; our own log suffices. */
function quietLogger(core: Core): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') core.log.error(message)
    else if (level === 'warning' && !message.includes('maxPoolSize')) core.log.warn(message)
    else core.log.trace(message)
  })
}
