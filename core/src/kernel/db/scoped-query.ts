import type pg from 'pg'
import type { DatabaseRole, TransactionScope } from './database.ts'
import { type Connection, corkUntilIdle, Statement } from './statement.ts'

/** A statement that every connection has prepared, run in front of another one. */
interface Lead {
  name: string
  text: string
  values: string[]
}

const BEGIN = { name: 'tenantry_begin', text: 'begin' }
const SET_TENANT = { name: 'tenantry_set_tenant', text: 'select tenantry.set_tenant($1)' }
/** Scopes the transaction to a tenant and, as its statements are on their own, refuses every write in it. */
const SET_READER = { name: 'tenantry_set_reader', text: 'select tenantry.set_reader($1)' }
/** The same outside of any tenant. */
const SET_READ_ONLY = {
  name: 'tenantry_set_read_only',
  text: "select set_config('transaction_read_only', 'on', true)",
}
const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * A statement that goes out together with what must come before it, in one write and one round trip: all of it stands
 * before a single Sync. If any of it fails, PostgreSQL skips the rest, and the failure is this statement's.
 */
class LedStatement extends Statement {
  readonly #leads: readonly Lead[]
  #done = 0

  constructor(config: pg.QueryConfig, leads: readonly Lead[]) {
    super(config)
    this.#leads = leads
  }

  override prepare(connection: Connection): void {
    for (const { name, values } of this.#leads) {
      connection.bind({ statement: name, values })
      connection.execute({})
    }
    super.prepare(connection)
  }

  override handleDataRow(message: unknown): void {
    if (this.#done >= this.#leads.length) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#done >= this.#leads.length) super.handleCommandComplete(message, connection)
    this.#done++
  }
}

/** Prepares a new connection of the role for what goes in front of statements. */
export function prepareLeads(client: pg.PoolClient, role: DatabaseRole): void {
  const tenants = [
    { ...SET_READER, values: [NOBODY] },
    { ...SET_TENANT, values: [NOBODY] },
  ]
  // Before the schema is migrated there is nothing to prepare, and nothing that could be read either.
  for (const each of [SET_READ_ONLY, BEGIN, ...(role === 'app' ? tenants : []), 'rollback'])
    client.query(each).catch(() => {})
}

/**
 * Sends one statement as the tenant or (null) as none, in a read-only transaction of its own: PostgreSQL runs what stands
 * before a Sync as one transaction. It saves BEGIN, COMMIT and their round trip, which cost more than most reads themselves.
 */
export function sendScoped(
  client: pg.PoolClient,
  config: pg.QueryConfig,
  tenantId: string | null,
): Promise<pg.QueryResult> {
  corkUntilIdle(client)
  const lead = tenantId === null ? { ...SET_READ_ONLY, values: [] } : { ...SET_READER, values: [tenantId] }
  return new LedStatement(config, [lead]).send(client)
}

/** Sends the first statement of a transaction, which begins it in its scope. */
export function sendFirst(
  client: pg.PoolClient,
  config: pg.QueryConfig,
  { tenantId, readOnly }: TransactionScope,
): Promise<pg.QueryResult> {
  corkUntilIdle(client)
  const leads: Lead[] = [{ ...BEGIN, values: [] }]
  if (readOnly) leads.push({ ...SET_READ_ONLY, values: [] })
  if (tenantId !== null) leads.push({ ...SET_TENANT, values: [tenantId] })
  return new LedStatement(config, leads).send(client)
}
