import pg from 'pg'
import type { Core } from '../core.ts'

/** Workers use one to fetch and end tasks; two more listen, one for each runner. */
const QUEUE_CONNECTIONS = 4

/**
 * The queue's own few connections: it needs times as `Date`, which the core's pools return as text. Nothing in the
 * queue handles a failure to record the end of a task, which would end the process when the database goes away. Here
 * such a failure is ignored: the task runs again hours later, which tasks allow.
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
  // Without a connection, a stand-in fails all statements except those.
  const standIn = (error: Error) => ({
    query: async (statement: unknown) => endAnyway(statement, error),
    release: () => {},
  })
  pool.connect = ((...args: unknown[]) => {
    const [taken] = args
    if (typeof taken !== 'function') return heard(connect(...args), standIn)
    return connect((error: unknown, client: unknown, release: Call) => taken(error, client, once(release)))
  }) as typeof pool.connect // as declared
  return pool
}

type Call = (...args: unknown[]) => unknown

/** Whoever listens gives its connection back twice when that is lost while it stops, which would end the process. */
function once(release: Call | undefined): Call {
  let isGone = false
  return (...args) => {
    if (isGone) return
    isGone = true
    release?.(...args)
  }
}

/** Handles the rejection of a promise; results for callbacks are passed through. */
function heard(result: unknown, deal: (error: Error) => unknown): unknown {
  return result instanceof Promise ? result.catch(deal) : result
}

/** The queue names its statements: `complete_job/<schema>`. */
function endsTask(statement: unknown): boolean {
  const name = (statement as { name?: unknown } | null)?.name
  return typeof name === 'string' && /^(complete|fail)_jobs?(_q)?\//.test(name)
}
