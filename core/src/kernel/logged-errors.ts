import pino, { type Logger } from 'pino'

/**
 * The same log, whose lines tell of an error without what stands in the database: PostgreSQL quotes whole rows and given
 * values in its own words, which are passwords' hashes and people's addresses.
 */
export function withoutRows(log: Logger): Logger {
  return log.child({}, { serializers: { err: describeError } })
}

type Described = Record<string, unknown> & { message: string; stack: string }

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const described = pino.stdSerializers.err(error) as unknown as Described // has a message and a stack, as the error has
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < MAX_CAUSES;
    cause = cause.cause, depth++
  )
    hideValues(described, cause)
  if (Array.isArray(described.aggregateErrors)) described.aggregateErrors = describeAll(error)
  for (const field of QUOTING) delete described[field]
  return described
}

const describeAll = (error: Error) => (error as AggregateError).errors.map(describeError) // the serializer found them there

const MAX_CAUSES = 10
/** Fields of the driver's errors in which PostgreSQL quotes rows, values and statements. */
const QUOTING = ['detail', 'where', 'internalQuery', 'hint']

/** `invalid input syntax for type integer: "…"`: what was given stands behind the colon. */
function hideValues(described: Described, error: Error): void {
  if (!('severity' in error)) return
  const shown = error.message.replace(/: ".*$/s, '')
  if (shown === error.message) return
  described.message = described.message.replaceAll(error.message, shown)
  described.stack = described.stack.replaceAll(error.message, shown)
}
