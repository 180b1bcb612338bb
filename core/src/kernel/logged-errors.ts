import pino, { type Logger } from 'pino'

/**
 * A log whose errors contain no data of the database: PostgreSQL quotes rows and values, such as password hashes and
 * addresses, in its messages.
 */
export function withoutRows(log: Logger): Logger {
  const asDescribed = (described: unknown) => described
  return log.child({}, { formatters: { log: describeErrors }, serializers: { err: asDescribed } })
}

/** The part of an error that operators may see: its message without quoted values. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutValues(error, error.message) : String(error)
}

function describeErrors(line: object): object {
  if (!Object.values(line).some((value) => value instanceof Error)) return line
  return Object.fromEntries(Object.entries(line).map(([name, value]) => [name, describeError(value)]))
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const described: Record<string, unknown> = { ...pino.stdSerializers.err(error) }
  for (const field of QUOTING) delete described[field]
  for (const text of ['message', 'stack']) described[text] = withoutValues(error, String(described[text]))
  if (error instanceof AggregateError) described.aggregateErrors = error.errors.map(describeError)
  return described
}

/** Fields of the driver's errors in which PostgreSQL quotes rows, values and statements. */
const QUOTING = ['detail', 'where', 'internalQuery', 'hint', 'raw']
const MAX_CAUSES = 10

/** A text made from an error and its causes, with quoted values removed. */
function withoutValues(error: Error, text: string): string {
  let shown = text
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < MAX_CAUSES;
    cause = cause.cause, depth++
  )
    if (quotesValues(cause)) shown = shown.replaceAll(cause.message, hidden(cause.message))
  return shown
}

/** PostgreSQL and the readers and writers of JSON put values between quotation marks. */
const quotesValues = (error: Error) =>
  'severity' in error || error instanceof SyntaxError || error.message.startsWith('The value ')

/** Names of tables, columns and constraints are quoted as well; they are logged as separate fields. */
const hidden = (message: string) => message.replace(/".*"/gs, '"…"')
