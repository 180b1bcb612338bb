import { showsSomething, tidyLine } from '../kernel/text/names.ts'
import { UsageError } from './failures.ts'

/**
 * The value of an option that is one line of text, tidied as requests have it. Throws `UsageError` for text that shows
 * nothing, has control characters, which could add headers to a mail, or is longer than `most` characters.
 */
export function readLine(option: string, value: unknown, most: number): string {
  if (typeof value !== 'string') throw new UsageError(`${option} is required`)
  const line = tidyLine(value)
  if (/\p{Cc}/u.test(line)) throw new UsageError(`${option} takes a single line without control characters`)
  if (!showsSomething(line)) throw new UsageError(`${option} shows nothing`)
  if (line.length > most) throw new UsageError(`${option} takes ${most} characters at most`)
  return line
}
