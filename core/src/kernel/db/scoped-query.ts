import type pg from 'pg'
import { type Connection, corkUntilIdle, Statement } from './statement.ts'

/** Scopes the transaction to a tenant and, as its statements are on their own, refuses every write in it. */
const SET_READER = { name: 'tenantry_set_reader', text: 'select tenantry.set_reader($1)' }
const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * One statement of a tenant in a transaction of its own, in one write and one round trip: the tenant and the statement
 * go out before a single Sync, and PostgreSQL runs what stands before a Sync as one transaction. It saves BEGIN, COMMIT
 * and their round trip, which cost more than most reads themselves.
 */
class ScopedStatement extends Statement {
  readonly #tenantId: string
  #isScoped = false

  constructor(config: pg.QueryConfig, tenantId: string) {
    super(config)
    this.#tenantId = tenantId
  }

  override prepare(connection: Connection): void {
    connection.bind({ statement: SET_READER.name, values: [this.#tenantId] })
    connection.execute({})
    super.prepare(connection)
  }

  override handleDataRow(message: unknown): void {
    if (this.#isScoped) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#isScoped) super.handleCommandComplete(message, connection)
    this.#isScoped = true
  }
}

/** Prepares a new connection for `sendScoped`. */
export function prepareScoping(client: pg.PoolClient): void {
  // Before the schema is migrated there is nothing to prepare, and nothing that could be read either.
  client.query({ ...SET_READER, values: [NOBODY] }).catch(() => {})
}

/** Sends one statement as the tenant, in a read-only transaction of its own. */
export function sendScoped(client: pg.PoolClient, config: pg.QueryConfig, tenantId: string): Promise<pg.QueryResult> {
  corkUntilIdle(client)
  return new ScopedStatement(config, tenantId).send(client)
}
