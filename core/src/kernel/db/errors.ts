import type pg from 'pg'
import type { AppError, ErrorKind, FieldProblem } from '../errors.ts'

/** The SQLSTATE of a database error, or undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const RETRYABLE = new Set(['40001', '40P01'])
const LOST = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P03'])

/** The connection is lost (or could not be opened), or its prepared statements are: nothing more can be done with it. */
export function isConnectionLoss(error: unknown): boolean {
  const code = sqlState(error)
  if (code !== undefined) return LOST.has(code) || code.startsWith('08') || isOutdated(error)
  return (
    error instanceof Error && /^Connection terminated|not queryable|^timeout exceeded when trying/.test(error.message)
  )
}

/** A statement was prepared before the schema had what it needs (26000), or returned something else than it does now. */
function isOutdated(error: unknown): boolean {
  const code = sqlState(error)
  // The routine is the same in every language of the server's messages.
  return code === '26000' || (code === '0A000' && (error as pg.DatabaseError).routine === 'RevalidateCachedQuery')
}

/** The server has told that it ends the connection: it has done nothing that was sent after the statement that failed so. */
export function isEndOfBackend(error: unknown): boolean {
  return sqlState(error)?.startsWith('57P') ?? false
}

/** The statement was not sent, because the connection was known to be lost. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && /not queryable/.test(error.message)
}

/**
 * Whether repeating the whole transaction may succeed. Not after a COMMIT of unknown outcome, nor after waiting for a
 * free connection in vain, which would only lengthen the queue.
 */
export function isRetryable(error: unknown): boolean {
  if (typeof error === 'object' && error !== null && 'outcomeUnknown' in error && error.outcomeUnknown) return false
  if (error instanceof Error && /^timeout exceeded when trying/.test(error.message)) return false
  const code = sqlState(error)
  return (code !== undefined && RETRYABLE.has(code)) || isConnectionLoss(error)
}

/** A statement reached a tenant's table in a transaction that names no tenant. */
export class NoTenantContext extends Error {
  constructor(cause: unknown) {
    super('No tenant context: a tenant-owned table was used in a transaction without a tenant', { cause })
    this.name = 'NoTenantContext'
  }
}

/**
 * The policies fail with 42704 (never set) or 22P02 (empty after an earlier transaction); this replaces the error by
 * the real cause.
 */
export function withoutTenantContext(error: unknown): unknown {
  const code = sqlState(error)
  if (code !== '42704' && code !== '22P02') return error
  const message = error instanceof Error ? error.message : ''
  return /"app\.tenant_id"|type uuid: ""/.test(message) ? new NoTenantContext(error) : error
}

const VIOLATIONS = new Set(['23503', '23505', '23514', '23P01'])

/**
 * The constraint that a write violated (foreign key, unique, check, exclusion), without the suffix that Citus adds for
 * a shard.
 */
export function constraintOf(error: unknown): string | undefined {
  const code = sqlState(error)
  if (code === undefined || !VIOLATIONS.has(code)) return undefined
  // Only code and message are reliable on Citus, so the name is read from the message.
  const name = error instanceof Error ? /constraint "([^"]+)"/.exec(error.message)?.[1] : undefined
  return name?.replace(/_\d{6,}$/, '')
}

type Replacement = ErrorKind | (() => AppError)

/**
 * Turns violations of the named constraints into errors for the caller:
 * `onViolation(insertStore(…), { stores_tenant_id_code_key: () => nameTaken({ errors: […] }) })`.
 */
export async function onViolation<T>(work: Promise<T>, replacements: Record<string, Replacement>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const replacement = replacements[constraintOf(error) ?? '']
    if (replacement) throw replacement()
    throw error
  }
}

export { onViolation as onUnique }

/** A field problem in the query: `atQuery('format', 'must be …')` points to `query/format`. */
export function atQuery(name: string, detail: string): FieldProblem {
  return { pointer: `query/${name}`, detail }
}

/** A field problem in the body: `at('code', 'is taken')` points to `#/code`. */
export function at(path: string, detail: string): FieldProblem {
  return { pointer: `#/${path}`, detail }
}
