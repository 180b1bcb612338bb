import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import type { TransactionScope } from './database.ts'
import { withoutTenantContext } from './errors.ts'
import { Statement } from './statement.ts'
import type { Tables, Tx } from './tables.ts'

export type StatementObserver = (sql: string, values: readonly unknown[], scope: TransactionScope) => void

/** Distinct statements that are prepared per connection; beyond that they are sent unnamed. */
const MAX_PREPARED = 2_000
const names = new Map<string, string>()

/** The name of a statement, so that PostgreSQL parses and plans it once per connection. */
function nameOf(sql: string): string | undefined {
  let name = names.get(sql)
  if (name === undefined && names.size < MAX_PREPARED) {
    name = `t${names.size}`
    names.set(sql, name)
  }
  return name
}

const WRITES: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

const compiler = new PostgresQueryCompiler()
const adapter = new PostgresAdapter()

const refuse = () => {
  throw new Error('A transaction is already open; it is opened and closed by the kernel alone')
}

const driver: Driver = {
  init: async () => {},
  acquireConnection: refuse,
  beginTransaction: refuse,
  commitTransaction: refuse,
  rollbackTransaction: refuse,
  releaseConnection: async () => {},
  destroy: async () => {},
}

const dialect: Dialect = {
  createAdapter: () => adapter,
  createDriver: () => driver,
  createQueryCompiler: () => compiler,
  createIntrospector: (db) => new PostgresIntrospector(db),
}

/** Builds queries that are compiled and not sent. */
export const unboundTx = new Kysely<Tables>({ dialect }) as Tx // there is no transaction, and nothing is sent

/** The query builder of one transaction, until it ends. */
export interface BoundTx {
  tx: Tx
  /**
   * Refuses further statements: work that was not awaited must not write into the next transaction of the connection.
   */
  end(): void
  /** What `sendUnawaited` has sent. */
  unawaited: readonly Promise<unknown>[]
  /** Why `sendUnawaited` could not send something: then nothing may be committed, even if the work has swallowed it. */
  unsent: readonly unknown[]
}

const unawaitedBy = new WeakMap<Tx, (query: CompiledQuery) => Promise<pg.QueryResult>>()
const lastBy = new WeakMap<Tx, (() => Promise<void>)[]>()

/**
 * Sends a statement whose result nobody needs, and waits for it at the end of the transaction: it goes out together with
 * what comes next, COMMIT itself most often. If it fails, so does the transaction, with its error. Throws when it
 * cannot be sent. The result is for after the commit; its failure needs no handling.
 */
export function sendUnawaited(tx: Tx, query: CompiledQuery): Promise<pg.QueryResult> {
  const send = unawaitedBy.get(tx)
  if (!send) throw new Error('There is no open transaction to send the statement in')
  return send(query)
}

/** Does what was asked for by `beforeCommit`. */
export async function finishWork(tx: Tx): Promise<void> {
  for (const finish of lastBy.get(tx) ?? []) await finish()
}

/**
 * Runs `work` once all other work of the transaction is done, just before COMMIT: what it sends by `sendUnawaited` goes out
 * together with it, so that a lock it takes is held no longer than the commit lasts.
 */
export function beforeCommit(tx: Tx, work: () => Promise<void>): void {
  const last = lastBy.get(tx)
  if (!last) throw new Error('There is no open transaction')
  last.push(work)
}

/** Hears what became of each statement of a transaction. */
export interface StatementHearer {
  failed(error: unknown): void
  /** A statement has inserted, changed or deleted so many rows. */
  wrote(rows: number): void
}

/**
 * The query builder of an open transaction. Compiler and adapter are shared and only this binding is created per
 * transaction, because a whole Kysely instance would cost more than a query. `send` sends a statement.
 */
export function bindTx(
  client: pg.ClientBase,
  scope: TransactionScope,
  observers: Set<StatementObserver>,
  hearer: StatementHearer,
  send: (config: pg.QueryConfig) => Promise<pg.QueryResult> = (config) => new Statement(config).send(client),
): BoundTx {
  let isOver = false
  const tell = (error: unknown) => {
    hearer.failed(error)
    throw withoutTenantContext(error)
  }
  const note = (result: pg.QueryResult) => {
    const { command, rowCount } = result
    if (rowCount !== null && command !== 'SELECT' && WRITES.has(command)) hearer.wrote(rowCount)
    return result
  }
  /** Has sent the statement when it returns, or throws. */
  const start = ({ sql, parameters }: CompiledQuery): Promise<pg.QueryResult> => {
    if (isOver) throw new Error('The transaction is over: something that it ought to have awaited is still at work')
    for (const observe of observers) observe(sql, parameters, scope)
    // pg only reads the list of values.
    return send({ name: nameOf(sql), text: sql, values: parameters as unknown[] }).then(note, tell)
  }
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const result = await start(query)
      return result.rowCount === null || result.command === 'SELECT'
        ? { rows: result.rows }
        : { rows: result.rows, numAffectedRows: BigInt(result.rowCount) }
    },
    streamQuery: refuse,
  }
  const executor = new DefaultQueryExecutor(compiler, adapter, {
    provideConnection: (consumer) => consumer(connection),
  })
  // The brand exists for the type checker alone.
  const tx = new Kysely<Tables>({ config: { dialect }, dialect, driver, executor }) as Tx
  const unawaited: Promise<unknown>[] = []
  const unsent: unknown[] = []
  const startOrNote = (query: CompiledQuery) => {
    try {
      return start(query)
    } catch (error) {
      unsent.push(error)
      throw error
    }
  }
  unawaitedBy.set(tx, (query) => {
    const sent = startOrNote(query)
    // Looked at when the transaction ends; until then nobody waits for it, which must not end the process.
    sent.catch(() => {})
    unawaited.push(sent)
    return sent
  })
  lastBy.set(tx, [])
  return {
    tx,
    end: () => {
      isOver = true
    },
    unawaited,
    unsent,
  }
}
