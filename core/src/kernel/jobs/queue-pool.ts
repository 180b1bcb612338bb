import pg from 'pg'
import type { Core } from '../core.ts'

/** Workers need one only to fetch and to end a task; two more listen, one for each runner. */
const QUEUE_CONNECTIONS = 4

/**
 * The queue's own connections, a few: it wants times as `Date`, which the core's give as text. Nobody in the queue hears
 * when the end of a task cannot be written, which would end the process as soon as the database goes away under it. Here
 * such an end counts as written: the task is given out once more hours later, and tasks are hints that bear it.
 */
export function createQueuePool({ config, log }: Pick<Core, 'config' | 'log'>, concurrency: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: config.database.systemUrl ?? undefined, // createCore has refused to start without one
    max: Math.min(concurrency, QUEUE_CONNECTIONS) + 2,
    keepAlive: true,
    application_name: 'tenantry queue',
  })
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection of the queue was lost'))
  const endAnyway = (statement: unknown, error: Error) => {
    if (!endsTask(statement)) throw error
    log.warn({ err: error }, 'the end of a task could not be written')
    return { rows: [], rowCount: 0 }
  }
  pool.on('connect', (client) => {
    client.on('error', (error) => log.debug({ err: error }, 'a connection of the queue was lost'))
    const query = client.query.bind(client) as Call
    client.query = ((...args: unknown[]) =>
      heard(query(...args), (error) => endAnyway(args[0], error))) as typeof client.query // as declared, less some rejections
  })
  const connect = pool.connect.bind(pool) as Call
  // Where there is no connection, a stand-in tells so to every statement but those.
  const standIn = (error: Error) => ({
    query: async (statement: unknown) => endAnyway(statement, error),
    release: () => {},
  })
  pool.connect = ((...args: unknown[]) => heard(connect(...args), standIn)) as typeof pool.connect // as declared
  return pool
}

type Call = (...args: unknown[]) => unknown

/** A promise with its rejection dealt with; what goes to a callback is passed through. */
function heard(result: unknown, deal: (error: Error) => unknown): unknown {
  return result instanceof Promise ? result.catch(deal) : result
}

/** The queue names its statements: `complete_job/<schema>`. */
function endsTask(statement: unknown): boolean {
  const name = (statement as { name?: unknown } | null)?.name
  return typeof name === 'string' && /^(complete|fail)_jobs?(_q)?\//.test(name)
}
