import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import { isUuid } from '../ids.ts'
import { createLoadMeter, type LoadMeter } from '../load/meter.ts'
import { isConnectionLoss, isEndOfBackend, isRetryable, isUnsent, sqlState } from './errors.ts'
import { createHoldings } from './held-connections.ts'
import { bindTx, finishWork, type StatementHearer, type StatementObserver } from './kysely.ts'
import { prepareLeads, sendFirst, sendScoped } from './scoped-query.ts'
import { type ReadSnapshot, readSnapshot } from './snapshot.ts'
import { corkUntilIdle, Statement } from './statement.ts'
import type { Tx } from './tables.ts'
import { typeParsers } from './types.ts'

/** The database role of a transaction: `app` sees one tenant, `system` all. */
export type DatabaseRole = 'app' | 'system'

export interface DatabaseOptions {
  appUrl: string
  systemUrl: string
  /** Connections per role in this process. */
  poolSize: number
  log: FastifyBaseLogger
  /** Gets what transactions cost. Default: nobody counts. */
  load?: LoadMeter
}

export interface TransactionScope {
  tenantId: string | null
  role: DatabaseRole
  /**
   * Only reads: any write is refused by the database. Of the role `app` each statement is then a transaction of its own,
   * without BEGIN and COMMIT (not on Citus). At PostgreSQL's default isolation statements of one transaction see each other's
   * commits anyway.
   */
  readOnly?: boolean
  /** Whose load it is; null: of no tenant, `uncounted`: it is not counted. Default: the tenant's that it is scoped to. */
  loadOf?: string | null | 'uncounted'
}

/** The connections of one process to its database. */
export interface Database {
  /**
   * Runs `work` in one transaction, scoped to the tenant from its first statement. Serialization failures, deadlocks
   * and connections lost before COMMIT are retried up to four times, so `work` must start afresh each time. Throws
   * inside of the work of another transaction; `caller` is the function named in that error.
   */
  transaction<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>, caller?: string): Promise<T>
  /**
   * Runs `work` in one read-only transaction of the role `app` that sees a tenant as it was at one moment, on a connection
   * beside the pools. Never retried; throws inside of the work of a transaction.
   */
  snapshot<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>
  /** One statement of the system role outside of any transaction; throws inside of one. */
  systemQuery<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>
  /**
   * Starts work that the surrounding transaction does not wait for, such as reloading a cache. Never await it there.
   */
  aside<T>(work: () => T): T
  readonly systemPool: pg.Pool
  /** Observes every statement, for tests of SQL rules. */
  observe(observer: StatementObserver): () => void
  /** Connections in use and waiting requests for one, by role. */
  load(): Record<DatabaseRole, { total: number; idle: number; waiting: number }>
  close(): Promise<void>
}

const MAX_TRIES = 5

/** Opens the two pools. The first transaction connects. */
export function openDatabase(options: DatabaseOptions): Database {
  const pools = { app: createPool(options.appUrl, options), system: createPool(options.systemUrl, options) }
  pools.app.on('connect', (client) => prepareLeads(client, 'app'))
  pools.system.on('connect', (client) => prepareLeads(client, 'system'))
  const observers = new Set<StatementObserver>()
  const holdings = createHoldings()
  const { load = createLoadMeter() } = options

  /** Errors of the database itself; similar errors of other services do not count. */
  const failures = new WeakSet<object>()
  const noteFailure = (error: unknown) => {
    if (typeof error === 'object' && error !== null) failures.add(error)
  }
  const noteAndThrow = (error: unknown): never => {
    noteFailure(error)
    throw error
  }

  /** pg reports a lost connection as an Error. */
  const isLost = (error: unknown): error is Error =>
    error instanceof CommitFailed ? error.outcomeUnknown : failures.has(error as object) && isConnectionLoss(error)

  async function once<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pools[scope.role].connect().catch(noteAndThrow)
    let isOpen = false
    let lost: Error | undefined
    const cost = new Cost(noteFailure)
    const bound = bindTx(client, scope, observers, cost, (config) => {
      if (isOpen) return sendNext(client, config)
      isOpen = true
      cost.begin()
      return sendFirst(client, config, scope)
    })
    try {
      const result = await work(bound.tx)
      bound.end()
      if (bound.unsent.length > 0) throw bound.unsent[0]
      if (!isOpen) return result
      isOpen = false
      await commit(client, bound.unawaited).catch(noteAndThrow)
      return result
    } catch (thrown) {
      bound.end()
      const error = await earliestFailure(thrown, bound.unawaited)
      if (isLost(error)) lost = error
      else if (isOpen) await client.query('rollback').catch((failure: Error) => (lost = failure))
      throw error
    } finally {
      client.release(lost)
      cost.addTo(load, scope)
    }
  }

  async function read<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pools.app.connect().catch(noteAndThrow)
    let lost: Error | undefined
    const cost = new Cost(noteFailure)
    const bound = bindTx(client, scope, observers, cost, (config) => {
      cost.begin()
      return sendScoped(client, config, scope.tenantId)
    })
    try {
      const result = await work(bound.tx)
      await Promise.all(bound.unawaited)
      return result
    } catch (error) {
      if (isLost(error)) lost = error
      throw error
    } finally {
      bound.end()
      client.release(lost)
      cost.addTo(load, scope)
    }
  }

  // Citus sends settings to its workers only within BEGIN and COMMIT.
  let isCluster: boolean | undefined
  async function run<T>(scope: TransactionScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const { role, readOnly } = scope
    if (!readOnly || role !== 'app') return once(scope, work)
    isCluster ??=
      (await pools.app.query("select from pg_extension where extname = 'citus'").catch(noteAndThrow)).rowCount === 1
    return isCluster ? once(scope, work) : read(scope, work)
  }

  const mayRetry = (error: unknown) => failures.has(error as object) && isRetryable(error) // has() takes anything

  return {
    async transaction(scope, work, caller = 'db.transaction') {
      if (scope.tenantId !== null && !isUuid(scope.tenantId)) throw new Error('A tenant id must be a UUID')
      holdings.assertNone(caller)
      for (let attempt = 1; ; attempt++) {
        try {
          return await run(scope, (tx) =>
            holdings.during(scope.role, async () => {
              const result = await work(tx)
              await finishWork(tx)
              return result
            }),
          )
        } catch (error) {
          if (attempt >= MAX_TRIES || !mayRetry(error)) throw error
          await sleep(2 ** attempt * 10 * (0.5 + Math.random()))
        }
      }
    },
    async snapshot(tenantId, work) {
      if (!isUuid(tenantId)) throw new Error('A tenant id must be a UUID')
      holdings.assertNone('db.snapshot')
      const spent = (ms: number) => {
        load.of(tenantId).dbMs += ms
      }
      const how: ReadSnapshot = { url: options.appUrl, tenantId, observers, spent, log: options.log }
      return readSnapshot(how, work)
    },
    async systemQuery<R extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
      holdings.assertNone('db.systemQuery')
      const begunAt = performance.now()
      const { rows } = await pools.system.query<R>(sql, values)
      load.of(null).dbMs += performance.now() - begunAt
      return rows
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

/** What one transaction costs: the time from its first statement on, without the wait for a connection, and the rows. */
class Cost implements StatementHearer {
  readonly failed: StatementHearer['failed']
  #begunAt = 0
  #rows = 0

  constructor(failed: StatementHearer['failed']) {
    this.failed = failed
  }

  begin(): void {
    if (this.#begunAt === 0) this.#begunAt = performance.now()
  }

  wrote(rows: number): void {
    this.#rows += rows
  }

  addTo(load: LoadMeter, { tenantId, loadOf = tenantId }: TransactionScope): void {
    if (!load.isOn || this.#begunAt === 0 || loadOf === 'uncounted') return
    const tally = load.of(loadOf)
    tally.dbMs += performance.now() - this.#begunAt
    tally.rowsWritten += this.#rows
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
  // Without a listener a restart of the database would end the process: idle connections report their loss here.
  pool.on('error', (error) => log.warn(lossOf(error), 'an idle database connection was lost'))
  pool.on('connect', (client) =>
    client.on('error', (error) => log.debug(lossOf(error), 'a database connection was lost')),
  )
  return pool
}

/** The loggable part of a connection error: pg attaches its whole client to the error. */
function lossOf(error: Error): { reason: string; code: string | undefined } {
  return { reason: error.message, code: sqlState(error) }
}

function sendNext(client: pg.PoolClient, config: pg.QueryConfig): Promise<pg.QueryResult> {
  corkUntilIdle(client)
  return new Statement(config).send(client)
}

/** What a statement that was not waited for failed with, when the one that found the transaction failed says only that. */
async function earliestFailure(thrown: unknown, unawaited: readonly Promise<unknown>[]): Promise<unknown> {
  if (sqlState(thrown) !== FAILED_TRANSACTION) return thrown
  const failed = (await Promise.allSettled(unawaited)).find(({ status }) => status === 'rejected')
  return failed?.status === 'rejected' ? failed.reason : thrown
}

const FAILED_TRANSACTION = '25P02'

/** COMMIT goes out together with the statements that nobody has waited for yet. Throws what has undone the transaction. */
async function commit(client: pg.PoolClient, unawaited: readonly Promise<unknown>[]): Promise<void> {
  corkUntilIdle(client)
  const committed = client.query('commit').catch((error: Error) => {
    throw new CommitFailed(error)
  })
  const [outcome, ...others] = await Promise.allSettled([committed, ...unawaited])
  const failures = others.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  if (outcome.status === 'rejected' && outcome.reason.outcomeUnknown) {
    const { cause } = outcome.reason
    // The server ended the connection at a statement before COMMIT, or COMMIT was not even sent.
    throw failures.find(isEndOfBackend) ?? (isUnsent(cause) ? cause : outcome.reason)
  }
  if (outcome.status === 'fulfilled' && outcome.value.command === 'COMMIT') {
    // A savepoint has undone other failures. Without its prepared BEGIN the connection had no transaction to commit.
    const unbegun = failures.find(isConnectionLoss)
    if (unbegun) throw new CommitFailed(unbegun)
    return
  }
  if (failures.length > 0) throw failures[0]
  if (outcome.status === 'rejected') throw outcome.reason
  // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and without an error: the work has swallowed the
  // failure.
  throw new Error('The transaction had failed and was rolled back')
}

/** COMMIT failed. When the connection was lost its outcome is unknown, so it is never retried. */
export class CommitFailed extends Error {
  readonly code: string | undefined
  readonly outcomeUnknown: boolean

  constructor(cause: Error) {
    super('The transaction could not be committed', { cause })
    this.outcomeUnknown = isConnectionLoss(cause)
    // A deferred constraint or a serialization failure at COMMIT has a code of its own and may be retried.
    this.code = this.outcomeUnknown ? undefined : (cause as pg.DatabaseError).code // pg errors carry the SQLSTATE
  }
}

function loadOf(pool: pg.Pool) {
  return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }
}
