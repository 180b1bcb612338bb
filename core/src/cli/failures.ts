import { AppError } from '../kernel/errors.ts'

/** The arguments make no command that can be run; the message says why, without a full stop. Where to look is added. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Errors that only a mistake in the code brings about. */
const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError]

/** What to tell the person at the terminal: the words of an error, and its stack when the code itself is at fault. */
export function explain(error: unknown): string {
  // A host with several addresses was tried at each of them; they tend to fail alike.
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0])
  if (error instanceof AppError) return sentenceOf(error)
  if (!(error instanceof Error)) return String(error)
  const isMistake = MISTAKES.some((kind) => error instanceof kind) && !('code' in error)
  return isMistake || error.message === '' ? (error.stack ?? error.name) : error.message
}

/** What a caller of the API would be told, for a terminal: what is wrong, and where. */
function sentenceOf({ kind, details: { detail, errors = [] } }: AppError): string {
  const places = errors.map(({ pointer, detail }) => `${pointer.replace('#/', '')} ${detail}`)
  return [detail ?? kind.title, ...(places.length > 0 ? [places.join('; ')] : [])].join(': ')
}
