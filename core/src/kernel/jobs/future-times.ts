import { fromNow, HOURS, MINUTES } from '../clock.ts'
import type { Core } from '../core.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import type { FutureMoment } from '../module.ts'
import { MAX_BACKOFF_MS } from './run.ts'
import { RUN_TASK, timetables } from './schedules.ts'

/** Clocks differ by less. */
const SKEW_MS = 5 * MINUTES

interface Correction {
  what: string
  sql: string
  values: unknown[]
}

/**
 * Corrects times in the future that a clock which was ahead has stored, because jobs would wait until then. A time is
 * recognised by being further ahead than possible. Corrections are logged; a failed statement does not stop the others.
 */
export async function correctFutureTimes(core: Core): Promise<void> {
  for (const { what, sql, values } of [...ofQueue(core), ...ofKernel(core), ...ofModules(core)]) {
    try {
      const { length } = await core.db.systemQuery(sql, values)
      if (length > 0) core.log.warn({ what, rows: length }, 'moments of a clock that was ahead were brought back')
    } catch (error) {
      core.log.error({ err: error, what }, 'moments of a clock that was ahead cannot be looked for')
    }
  }
}

/** The queue uses the machine's clock. */
function ofQueue({ registry }: Core): Correction[] {
  const now = new Date().toISOString()
  const ahead = new Date(Date.now() + SKEW_MS).toISOString()
  const jobs = `${QUEUE_SCHEMA}._private_jobs`
  const tasks = `select id from ${QUEUE_SCHEMA}._private_tasks where identifier`
  return [
    {
      what: 'schedules: last execution',
      sql: `update ${QUEUE_SCHEMA}._private_known_crontabs
        set last_execution = case when last_execution > $2 then date_trunc('minute', $1::timestamptz) - interval '1 minute' else last_execution end,
          known_since = least(known_since, $1::timestamptz)
        where last_execution > $2 or known_since > $2 returning 1`,
      values: [now, ahead],
    },
    {
      // A retry waits for minutes at most; a wake that is due at once does not wait.
      what: 'schedules and wakes that wait',
      sql: `update ${jobs} set run_at = $1 where run_at > $2 and locked_at is null
        and (task_id in (${tasks} = any($3)) or (key like '%:lane:%' and task_id in (${tasks} like $4))) returning 1`,
      values: [now, ahead, timetables(registry).map(({ name }) => name), `${RUN_TASK}%`],
    },
    {
      what: 'tasks that were taken',
      sql: `update ${jobs} set locked_at = null, locked_by = null where locked_at > $1 returning 1`,
      values: [ahead],
    },
  ]
}

/**
 * A job waits as long as planned when it was created, a failed one no longer than a retry can. Kept answers and running
 * claims of idempotency keys are counted from now.
 */
function ofKernel({ clock }: Core): Correction[] {
  const now = clock.now()
  const ahead = fromNow(clock, SKEW_MS)
  const jobs = ['tenant_jobs', 'system_jobs'].flatMap((table): Correction[] => [
    {
      what: `${table}: made`,
      sql: `update ${table} set run_at = run_at - (created_at - $1::timestamptz), created_at = $1
        where status = 'waiting' and created_at > $2 returning 1`,
      values: [now, ahead],
    },
    {
      what: `${table}: retried`,
      sql: `update ${table} set run_at = $1 where status = 'waiting' and attempts > 0 and run_at > $2 returning 1`,
      values: [now, fromNow(clock, MAX_BACKOFF_MS + HOURS)],
    },
  ])
  const keys = ['idempotency_keys', 'global_idempotency_keys'].map((table) => ({
    what: table,
    sql: `update ${table} set created_at = $1, claimed_until = least(claimed_until, $1) where created_at > $2 returning 1`,
    values: [now, ahead],
  }))
  const messages = ['inbound_messages', 'global_inbound_messages'].map((table) => ({
    what: table,
    sql: `update ${table} set received_at = $1 where received_at > $2 returning 1`,
    values: [now, ahead],
  }))
  const runs = {
    what: 'runs',
    sql: 'update runs set done_at = $1 where done_at > $2 returning 1',
    values: [now, ahead],
  }
  return [...jobs, ...keys, ...messages, runs]
}

function ofModules({ clock, registry }: Core): Correction[] {
  return registry.modules
    .flatMap(({ moments }) => moments)
    .map(({ table, column, aheadMs }: FutureMoment) => ({
      what: `${table}.${column}`,
      sql: `update ${table} set ${column} = $1 where ${column} > $2 returning 1`,
      values: [clock.now(), fromNow(clock, aheadMs + SKEW_MS)],
    }))
}
