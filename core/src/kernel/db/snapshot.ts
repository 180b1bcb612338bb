import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import { bindTx, type StatementObserver } from './kysely.ts'
import { Statement } from './statement.ts'
import type { Tx } from './tables.ts'
import { typeParsers } from './types.ts'

/** Who reads sends on what was read, to a storage that may be slow: longer than any other transaction may wait for its next statement. */
const IDLE = '10min'

/** Nothing is written, and nothing tried again. */
const deaf = { failed: () => {}, wrote: () => {} }

export interface ReadSnapshot {
  /** Of the application role, which row-level security binds. */
  url: string
  tenantId: string
  observers: Set<StatementObserver>
  /** Told of each statement how many milliseconds it took: between them others may be waited for. */
  spent: (ms: number) => void
  log: FastifyBaseLogger
}

/**
 * Runs `work` in a read-only transaction of a tenant whose every statement sees the database as it was at the first one. On a
 * connection of its own, so that it keeps none from requests however long it lasts.
 */
export async function readSnapshot<T>(
  { url, tenantId, observers, spent, log }: ReadSnapshot,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    types: typeParsers,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'tenantry snapshot',
  })
  // The statement under way, or the next one, fails with it; without a listener it would end the process.
  client.on('error', (error) => log.warn({ reason: error.message }, 'the connection of a snapshot was lost'))
  await client.connect()
  const timed = async (config: pg.QueryConfig) => {
    const begunAt = performance.now()
    try {
      return await new Statement(config).send(client)
    } finally {
      spent(performance.now() - begunAt)
    }
  }
  try {
    await client.query('begin isolation level repeatable read read only')
    await client.query('select tenantry.set_tenant($1)', [tenantId])
    await client.query(`set local idle_in_transaction_session_timeout = '${IDLE}'`)
    const bound = bindTx(client, { tenantId, role: 'app', readOnly: true }, observers, deaf, timed)
    try {
      return await work(bound.tx)
    } finally {
      bound.end()
    }
  } finally {
    // Nothing was written: there is nothing to commit.
    await client.end()
  }
}
