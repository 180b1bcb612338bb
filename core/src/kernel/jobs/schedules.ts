import { type ParsedCronItem, parseCronItems, type Task } from 'graphile-worker'
import { DAYS, MINUTES } from '../clock.ts'
import type { Core } from '../core.ts'
import { createContext, noOrigin, systemActor } from '../create-context.ts'
import { messageOf } from '../system-errors.ts'
import { claiming, Interrupted } from './claim.ts'
import type { Schedule } from './define.ts'

/** The queue's task that works on the jobs of one tenant; schedules have other names. */
export const RUN_TASK = 'run_jobs'
/** The same for outbound jobs. */
export const RUN_OUTBOUND_TASK = 'run_jobs_outbound'
/** Of both. */
export interface WakePayload {
  tenant_id: string | null
}

/** A schedule of the kernel itself; a start sweeps anyway. */
export const SWEEP = { name: 'kernel.sweep_jobs', cron: '* * * * *', madeUpFor: false }
export const TIDY = { name: 'kernel.tidy', cron: '17 * * * *' }

export interface Timetable {
  name: string
  cron: string
  /** Whether a run missed while nothing ran is made up for. Default true. */
  madeUpFor?: boolean
}

/**
 * The schedules in the form of the queue. Of runs missed while nothing ran, the last is made up for unless it is more
 * than a day old.
 */
export function cronItems({ registry }: Pick<Core, 'registry'>): ParsedCronItem[] {
  return timetables(registry).map(({ madeUpFor = true, ...timetable }) => {
    const last = madeUpFor ? lastTime(cronItem(timetable, 0), Date.now()) : null
    // A little longer than needed, because the queue looks back from a slightly later time.
    return cronItem(timetable, last === null ? 0 : Date.now() - last + MINUTES / 2)
  })
}

/** All schedules, the kernel's first. */
export function timetables(registry: Pick<Core['registry'], 'schedules'>): readonly Timetable[] {
  return [SWEEP, TIDY, ...registry.schedules]
}

function cronItem({ name, cron }: Timetable, backfillPeriod: number): ParsedCronItem {
  const [item] = parseCronItems([
    { task: name, identifier: name, match: cron, options: { backfillPeriod, maxAttempts: 5 } },
  ])
  return item! // one in, one out
}

/** Why a cron expression is invalid, or null. */
export function problemOfCron(cron: string): string | null {
  try {
    cronItem({ name: 'probe', cron }, 0)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/**
 * The task of a schedule. When the next time has come before it runs, one run counts for both; while a run lasts, the
 * next is skipped.
 */
export function scheduledTask(core: Core, schedule: Schedule): Task {
  const item = cronItem(schedule, 0)
  return async (payload) => {
    // The queue adds `_cron` to what it starts by the clock.
    const { _cron } = payload as { _cron?: { ts: string } }
    if (_cron && (lastTime(item, Date.now()) ?? 0) > Date.parse(_cron.ts)) return
    await runSchedule(core, schedule)
  }
}

/** Runs a schedule now, unless it runs. Its handler holds no connection but those that it asks for. */
export async function runSchedule(core: Core, { name, handle }: Schedule): Promise<void> {
  const ctx = createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  try {
    const isMine = await claiming(core, name, () => handle(ctx))
    if (!isMine) core.log.info({ schedule: name }, 'a schedule is left out: its last run is not over')
  } catch (error) {
    // Another process continues the run.
    if (!(error instanceof Interrupted)) throw error
  }
}

/** The last minute of the day up to `now` that a schedule names, or null. */
function lastTime(item: ParsedCronItem, now: number): number | null {
  for (let at = now - (now % MINUTES); at > now - DAYS; at -= MINUTES) if (item.match(digestOf(at))) return at
  return null
}

const LONGEST_MS = 366 * DAYS

/** The first minute after `from` that a cron expression names, up to `until`; null: none. */
export function firstTime({ cron, name }: Timetable, from: number, until: number): number | null {
  const item = cronItem({ name, cron }, 0)
  const start = Math.max(from, until - LONGEST_MS)
  for (let at = start - (start % MINUTES) + MINUTES; at <= until; at += MINUTES) if (item.match(digestOf(at))) return at
  return null
}

function digestOf(at: number) {
  const date = new Date(at)
  return {
    min: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    date: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    dow: date.getUTCDay(),
  }
}
