import pino, { type Logger } from 'pino'
import { withoutValues } from './system-errors.ts'

/**
 * A log whose errors contain no data of the database: PostgreSQL quotes rows and values, such as password hashes and
 * addresses, in its messages.
 */
export function withoutRows(log: Logger): Logger {
  const asDescribed = (described: unknown) => described
  return log.child({}, { formatters: { log: describeErrors }, serializers: { err: asDescribed } })
}

function describeErrors(line: object): object {
  if (!Object.values(line).some((value) => value instanceof Error)) return line
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [name, describeError(value)]))
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const described: Record<string, unknown> = { ...pino.stdSerializers.err(error) }
  for (const field of [...QUOTING, ...CARRYING]) delete described[field]
  for (const text of ['message', 'stack']) described[text] = withoutValues(error, String(described[text]))
  if (error instanceof AggregateError) described.aggregateErrors = error.errors.map(describeError)
  return described
}

/** Fields of the driver's errors in which PostgreSQL quotes rows, values and statements. */
const QUOTING = ['detail', 'where', 'internalQuery', 'hint', 'raw']
/** Fields in which the driver's pool hands over the connection itself, with its statements and the key that cancels them. */
const CARRYING = ['client']
