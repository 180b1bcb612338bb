import { MINUTES } from '../clock.ts'
import type { Core } from '../core.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import { showWorker } from './overdue.ts'
import { pullBack } from './pull-back.ts'

/** Looks after the schedules at once and then each minute, by a timer that no stored moment can stop, until it is stopped. */
export async function startTending(core: Core): Promise<() => Promise<void>> {
  let current = Promise.resolve()
  const tendOnce = () => {
    current = tend(core).catch((error: Error) => core.log.warn({ err: error }, 'the schedules cannot be looked after'))
    return current
  }
  await tendOnce()
  const timer = setInterval(() => void tendOnce(), MINUTES)
  return async () => {
    clearInterval(timer)
    await current
  }
}

export async function tend(core: Core): Promise<void> {
  await pullBack(core)
  await showWorker(core)
  await resume(core)
}

/** Begins again the schedules whose run a process has left unfinished: it was ended, or it died. */
async function resume({ db, clock, registry }: Core): Promise<void> {
  const names = registry.schedules.map(({ name }) => name)
  await db.systemQuery(
    `select ${QUEUE_SCHEMA}.add_job(name, '{}', job_key => name || ':again', job_key_mode => 'preserve_run_at', max_attempts => 5)
     from runs where name = any($1) and claimed_until <= $2`,
    [names, clock.now()],
  )
}
