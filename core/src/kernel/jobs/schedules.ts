import { type ParsedCronItem, parseCronItems, type Task } from 'graphile-worker'
import { sql } from 'kysely'
import { DAYS, MINUTES } from '../clock.ts'
import type { Core } from '../core.ts'
import type { Schedule } from './define.ts'

/** The queue's task that works on the jobs of one tenant; schedules have other names. */
export const RUN_TASK = 'run_jobs'

interface Timetable {
  name: string
  cron: string
  /** Whether times missed while nothing ran are made up for. Default true. */
  madeUpFor?: boolean
}

/**
 * What runs by the clock, as the queue wants it told. Of the times missed while nothing ran, the last is made up for,
 * unless it is more than a day ago.
 */
export function cronItems({ registry }: Pick<Core, 'registry'>, own: readonly Timetable[]): ParsedCronItem[] {
  const timetables: readonly Timetable[] = [...own, ...registry.schedules]
  return timetables.map(({ madeUpFor = true, ...timetable }) => {
    const last = madeUpFor ? lastTime(cronItem(timetable, 0), Date.now()) : null
    // A little longer than needed, because the queue looks back from a moment of its own.
    return cronItem(timetable, last === null ? 0 : Date.now() - last + MINUTES / 2)
  })
}

function cronItem({ name, cron }: Timetable, backfillPeriod: number): ParsedCronItem {
  const [item] = parseCronItems([
    { task: name, identifier: name, match: cron, options: { backfillPeriod, maxAttempts: 5 } },
  ])
  return item! // one in, one out
}

/** Why a text is no cron expression, or null. */
export function problemOfCron(cron: string): string | null {
  try {
    cronItem({ name: 'probe', cron }, 0)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * The task of one schedule. When a later time has come before it gets its turn, that one stands for both; and while one
 * run lasts, the next is left out: the lock ends with the transaction, so a process that dies keeps nobody waiting.
 */
export function scheduledTask(core: Core, schedule: Schedule): Task {
  const item = cronItem(schedule, 0)
  return async (payload) => {
    // The queue adds `_cron` to what it starts by the clock.
    const { _cron } = payload as { _cron?: { ts: string } }
    if (_cron && (lastTime(item, Date.now()) ?? 0) > Date.parse(_cron.ts)) return
    await core.run(
      async (ctx) => {
        const lock = sql<{
          locked: boolean
        }>`select pg_try_advisory_xact_lock(${LOCK_CLASS}, hashtext(${schedule.name})) as locked`
        const { rows } = await lock.execute(ctx.tx)
        if (rows[0]?.locked) await schedule.handle(ctx)
        else core.log.info({ schedule: schedule.name }, 'a schedule is left out: its last run is not over')
      },
      { role: 'system', tenantId: null },
    )
  }
}

/** Sets these advisory locks apart from others. */
const LOCK_CLASS = 7_467_222

/** The last minute of the day up to `now` that a schedule names, or null. */
function lastTime(item: ParsedCronItem, now: number): number | null {
  for (let at = now - (now % MINUTES); at > now - DAYS; at -= MINUTES) if (item.match(digestOf(at))) return at
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
