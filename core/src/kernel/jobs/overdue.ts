import { fromNow, MINUTES, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { firstTime, timetables } from './schedules.ts'

/** A schedule may start and take this much longer before it is overdue. */
const PATIENCE_MS = 10 * MINUTES
/** Workers report each minute; after this long without a report there is none. */
const ABSENT_MS = 5 * MINUTES
export const WORKER = 'kernel.worker'

interface Run {
  name: string
  claimed_until: string | null
  position: string | null
  done_at: string
}

export interface Overdue {
  name: string
  seconds: number
}

/** Reports that a worker runs. Delays are counted from the start of uninterrupted reports. */
export async function showWorker({ db, clock, registry }: Core): Promise<void> {
  const now = clock.now()
  await db.systemQuery(
    `insert into runs as r (name, done_at, position) values ($1, $2, $5)
     on conflict (name) do update set done_at = excluded.done_at,
       position = case when r.done_at between $3 and $4 then r.position else excluded.position end`,
    [WORKER, now, fromNow(clock, -ABSENT_MS), fromNow(clock, ABSENT_MS), now],
  )
  const names = timetables(registry).map(({ name }) => name)
  await db.systemQuery(
    'insert into runs (name, done_at) select name, $2 from unnest($1::text[]) as name on conflict (name) do nothing',
    [names, now],
  )
}

/** Schedules that are due and have not finished since; null: no worker has reported recently. */
export async function findOverdue({ db, clock, registry }: Core): Promise<Overdue[] | null> {
  const rows = await db.systemQuery<Run>('select name, claimed_until, position, done_at from runs')
  const runs = new Map(rows.map((row) => [row.name, row]))
  const worker = runs.get(WORKER)
  const now = clock.ms()
  if (!worker || Math.abs(now - Date.parse(worker.done_at)) > ABSENT_MS) return null
  const since = Date.parse(worker.position ?? worker.done_at)
  return timetables(registry).flatMap((timetable) => {
    const run = runs.get(timetable.name)
    // A running schedule is not late; its claim ends with its process.
    if (run?.claimed_until && Date.parse(run.claimed_until) > now) return []
    // An end in the future was written by a wrong clock and is ignored.
    const done = run ? Date.parse(run.done_at) : since
    const due = firstTime(timetable, done > now ? since : Math.max(done, since), now - PATIENCE_MS)
    return due === null ? [] : [{ name: timetable.name, seconds: Math.round((now - due) / SECONDS) }]
  })
}

/** Throws when a schedule is overdue, saying which. */
export async function checkSchedules(core: Core): Promise<string> {
  const overdue = await findOverdue(core)
  if (overdue === null) return 'no worker has been at work in the last minutes'
  if (overdue.length === 0) return 'nothing is overdue'
  const names = overdue.map(({ name, seconds }) => `${name} (${seconds} s)`).join(', ')
  throw new Error(
    `Schedules are overdue: ${names}. See the log of the workers for why they fail, and whether a clock is or was wrong (docs/operations.md).`,
  )
}
