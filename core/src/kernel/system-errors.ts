/** The code of a failed system call (`ENOENT`) or the SQLSTATE of a refused statement; undefined for an error without one. */
export function errorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return errorCode(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
