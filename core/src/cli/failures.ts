import { AppError } from '../kernel/errors.ts'

/** Invalid arguments. The message says why, without a full stop; a hint is added. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Errors caused by programming mistakes. */
const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError]

/** The message for a person at the terminal, with the stack for a programming mistake. */
export function explain(error: unknown): string {
  // All addresses of a host were tried; they tend to fail alike.
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0])
  if (error instanceof AppError) return sentenceOf(error)
  if (!(error instanceof Error)) return String(error)
  const isMistake = MISTAKES.some((kind) => error instanceof kind) && !('code' in error)
  return isMistake || error.message === '' ? (error.stack ?? error.name) : error.message
}

/** The problem that a caller of the API would get, as one sentence. */
function sentenceOf({ kind, details: { detail, errors = [] } }: AppError): string {
  const places = errors.map(({ pointer, detail }) => `${pointer.replace('#/', '')} ${detail}`)
  return [detail ?? kind.title, ...(places.length > 0 ? [places.join('; ')] : [])].join(': ')
}
