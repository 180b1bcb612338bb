import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { QUEUE_SCHEMA } from '../db/migrate.ts'

/** So late a wake that was put off is noticed at most. */
const LOOK_MS = 1 * SECONDS

/**
 * Tells idle places of wakes that have become due. The queue itself tells of those that are due when they are added; for
 * the others each of its places asks, once a second each, which is most of what a process at rest would do. One look
 * for all of them costs a twentieth.
 */
export function startLooking({ db, log }: Pick<Core, 'db' | 'log'>, places: number): () => Promise<void> {
  /** By the database's clock, as the queue's times are. */
  let lookedAt: string | undefined
  let current: Promise<void> | undefined
  async function look(): Promise<void> {
    const [found] = await db.systemQuery<{ due: number; looked_at: string }>(
      `select count(*)::int as due, now() as looked_at from
         (select from ${QUEUE_SCHEMA}._private_jobs
          where is_available and run_at <= now() and run_at > coalesce($1::timestamptz, now()) - $2::interval limit $3) as due`,
      [lookedAt, COMMITTED_WITHIN, places],
    )
    lookedAt = found?.looked_at
    if (found?.due) await db.systemQuery("select pg_notify('jobs:insert', $1)", [JSON.stringify({ count: found.due })])
  }
  const timer = setInterval(() => {
    current ??= look()
      .catch((error: Error) => log.debug({ err: error }, 'due work could not be looked for'))
      .finally(() => {
        current = undefined
      })
  }, LOOK_MS)
  return async () => {
    clearInterval(timer)
    await current
  }
}

/** What was due before the last look, and was not committed by then. */
const COMMITTED_WITHIN = '2 seconds'
