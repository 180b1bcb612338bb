/** The code of a failed system call (`ENOENT`) or the SQLSTATE of a refused statement; undefined for an error without one. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return errorCode(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The part of an error that operators may see: its message without quoted values. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? withoutValues(error, error.message) : String(error)
}

const MAX_CAUSES = 10

/** A text made from an error and its causes, with quoted values removed. */
export function withoutValues(error: Error, text: string): string {
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
