import { MINUTES } from '../clock.ts'
import type { Core } from '../core.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import { correctFutureTimes } from './future-times.ts'
import { showWorker } from './overdue.ts'

/** Maintains the schedules now and then each minute, by a timer that does not depend on stored times. */
export async function startUpkeep(core: Core): Promise<() => Promise<void>> {
  let current = Promise.resolve()
  const runOnce = () => {
    current = runUpkeep(core).catch((error: Error) =>
      core.log.warn({ err: error }, 'the schedules cannot be looked after'),
    )
    return current
  }
  await runOnce()
  const timer = setInterval(() => void runOnce(), MINUTES)
  return async () => {
    clearInterval(timer)
    await current
  }
}

export async function runUpkeep(core: Core): Promise<void> {
  await correctFutureTimes(core)
  await showWorker(core)
  await resume(core)
}

/** Restarts schedules whose run was interrupted or whose process died. */
async function resume({ db, clock, registry }: Core): Promise<void> {
  const names = registry.schedules.map(({ name }) => name)
  await db.systemQuery(
    `select ${QUEUE_SCHEMA}.add_job(name, '{}', job_key => name || ':again', job_key_mode => 'preserve_run_at', max_attempts => 5)
     from runs where name = any($1) and claimed_until <= $2`,
    [names, clock.now()],
  )
}
