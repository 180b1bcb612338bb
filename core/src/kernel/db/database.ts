import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import { isUuid } from '../ids.ts'
import { isConnectionLoss, isRetryable, sqlState } from './errors.ts'
import { createHoldings } from './held-connections.ts'
import { bindTx, type StatementObserver } from './kysely.ts'
import { prepareScoping, sendScoped } from './scoped-query.ts'
import { corkUntilIdle } from './statement.ts'
import type { Tx } from './tables.ts'
import { typeParsers } from './types.ts'

/** Which database role a transaction runs as: `app` is bound to one tenant, `system` sees all. */
export type DatabaseRole = 'app' | 'system'

export interface DatabaseOptions {
  appUrl: string
  systemUrl: string
  /** Connections per role in this process. */
  poolSize: number
  log: FastifyBaseLogger
}

export interface TransactionScope {
  tenantId: string | null
  role: DatabaseRole
  /**
   * Only reads: in a tenant each statement is then a transaction of its own, without BEGIN and COMMIT, and any write is
   * refused by the database. At PostgreSQL's default isolation statements of one transaction see each other's
   * commits anyway.
   */
  readOnly?: boolean
}

/** The connections of one process to its database. */
export interface Database {
  /**
   * Runs `work` in one transaction, scoped to the tenant from its first statement on. Serialization failures,
   * deadlocks and connections lost before COMMIT are retried, four times at most: `work` must start afresh each time.
   * Throws inside of another transaction's work; `caller` is what it then says was called.
   */
  transaction<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>, caller?: string): Promise<T>
  /** One statement of the system role outside of any transaction; throws inside of one. */
  systemQuery<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>
  /** Begins work that the transaction around it does not wait for: a cache that is read anew. Never await it in there. */
  aside<T>(work: () => T): T
  readonly systemPool: pg.Pool
  /** Sees every statement on its way; for the tests that hold the rules of SQL. */
  observe(observer: StatementObserver): () => void
  /** Connections in use and waiting requests for one, by role. */
  load(): Record<DatabaseRole, { total: number; idle: number; waiting: number }>
  close(): Promise<void>
}

const MAX_TRIES = 5
const SET_TENANT = { name: 'tenantry_set_tenant', text: 'select tenantry.set_tenant($1)' }

/** Opens the two pools. Nothing connects before the first transaction. */
export function openDatabase(options: DatabaseOptions): Database {
  const pools = { app: createPool(options.appUrl, options), system: createPool(options.systemUrl, options) }
  pools.app.on('connect', prepareScoping)
  const observers = new Set<StatementObserver>()
  const holdings = createHoldings()

  /** Failures of the database itself: an error that merely looks like one, of some service asked on the way, is none. */
  const failures = new WeakSet<object>()
  const noteFailure = (error: unknown) => {
    if (typeof error === 'object' && error !== null) failures.add(error)
  }
  const noteAndThrow = (error: unknown): never => {
    noteFailure(error)
    throw error
  }

  async function once<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pools[scope.role].connect().catch(noteAndThrow)
    let lost: Error | undefined
    const bound = bindTx(client, scope, observers, noteFailure)
    try {
      const opening = open(client, scope)
      let result: T
      try {
        result = await work(bound.tx)
        await opening
      } catch (error) {
        bound.end()
        const cause = await opening.then(() => error, openingFailure)
        if (failures.has(cause as object) && isConnectionLoss(cause))
          lost = cause as Error // pg reports a lost connection as an Error
        else await client.query('rollback').catch((failure: Error) => (lost = failure))
        throw cause
      }
      bound.end()
      await commit(client).catch((error: Error) => {
        if (error instanceof CommitFailed && error.outcomeUnknown) lost = error
        return noteAndThrow(error)
      })
      return result
    } finally {
      client.release(lost)
    }
  }

  async function read<T>(scope: TransactionScope & { tenantId: string }, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pools.app.connect().catch(noteAndThrow)
    let lost: Error | undefined
    const bound = bindTx(client, scope, observers, noteFailure, (config) => sendScoped(client, config, scope.tenantId))
    try {
      return await work(bound.tx)
    } catch (error) {
      if (failures.has(error as object) && isConnectionLoss(error)) lost = error as Error // as in once
      throw error
    } finally {
      bound.end()
      client.release(lost)
    }
  }

  // Citus sends a transaction's settings to its workers only within BEGIN and COMMIT.
  let isCluster: boolean | undefined
  async function run<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const { tenantId, role, readOnly } = scope
    if (!readOnly || role !== 'app' || tenantId === null) return once(scope, work)
    isCluster ??=
      (await pools.app.query("select from pg_extension where extname = 'citus'").catch(noteAndThrow)).rowCount === 1
    return isCluster ? once(scope, work) : read({ ...scope, tenantId }, work)
  }

  const openingFailure = (error: unknown) => {
    noteFailure(error)
    return error
  }
  const mayRetry = (error: unknown) => failures.has(error as object) && isRetryable(error) // has() takes anything

  return {
    async transaction(scope, work, caller = 'db.transaction') {
      if (scope.tenantId !== null && !isUuid(scope.tenantId)) throw new Error('A tenant id must be a UUID')
      holdings.assertNone(caller)
      for (let attempt = 1; ; attempt++) {
        try {
          return await run(scope, (tx) => holdings.during(scope.role, () => work(tx)))
        } catch (error) {
          if (attempt >= MAX_TRIES || !mayRetry(error)) throw error
          await sleep(2 ** attempt * 10 * (0.5 + Math.random()))
        }
      }
    },
    async systemQuery<R extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
      holdings.assertNone('db.systemQuery')
      return (await pools.system.query<R>(sql, values)).rows
    },
    aside: holdings.aside,
    systemPool: pools.system,
    observe(observer) {
      observers.add(observer)
      return () => observers.delete(observer)
    },
    load: () => ({ app: loadOf(pools.app), system: loadOf(pools.system) }),
    close: async () => {
      await Promise.all([pools.app.end(), pools.system.end()])
    },
  }
}

function createPool(url: string, { poolSize, log }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    pipeline: true,
    types: typeParsers,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'tenantry',
  })
  // Without a listener, a restart of the database would end the process: idle connections report their loss here.
  pool.on('error', (error) => log.warn(lossOf(error), 'an idle database connection was lost'))
  pool.on('connect', (client) =>
    client.on('error', (error) => log.debug(lossOf(error), 'a database connection was lost')),
  )
  return pool
}

/** What to log of a lost connection: pg hangs its whole client on the error. */
function lossOf(error: Error): { reason: string; code: string | undefined } {
  return { reason: error.message, code: sqlState(error) }
}

/**
 * BEGIN and the tenant go out together with the first query of `work`, in one write: nothing is awaited in between. If
 * either fails, every later statement fails too, and the failure reported is this first one.
 */
function open(client: pg.PoolClient, scope: TransactionScope): Promise<unknown> {
  corkUntilIdle(client)
  const begun = client.query('begin')
  const opening =
    scope.tenantId === null ? begun : Promise.all([begun, client.query({ ...SET_TENANT, values: [scope.tenantId] })])
  // Looked at when `work` is over; until then nobody waits for it, which must not end the process.
  opening.catch(() => {})
  return opening
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit').catch((error: Error) => {
    throw new CommitFailed(error)
  })
  // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error: somebody swallowed the failure.
  if (command !== 'COMMIT') throw new Error('The transaction had failed and was rolled back')
}

/** COMMIT itself failed. When the connection was lost nobody knows whether it happened, so it is never retried. */
export class CommitFailed extends Error {
  readonly code: string | undefined
  readonly outcomeUnknown: boolean

  constructor(cause: Error) {
    super('The transaction could not be committed', { cause })
    this.outcomeUnknown = isConnectionLoss(cause)
    // A deferred constraint or a serialization failure at COMMIT has the database's own code: that one may be retried.
    this.code = this.outcomeUnknown ? undefined : (cause as pg.DatabaseError).code // pg errors carry the SQLSTATE
  }
}

function loadOf(pool: pg.Pool) {
  return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }
}
