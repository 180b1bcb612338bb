import type { TestCore } from '../core.ts'
import type { Answered } from '../request.ts'

/**
 * An answer as findings tell it, the same for every request that is answered so. Beneath a failure of the server stands
 * the error that it logged for that request, in one line; `otherwise` is said of other answers, which a case can help.
 */
export function tell({ logs }: Pick<TestCore, 'logs'>, { status, body, text }: Answered, otherwise = ''): string {
  const { request_id, ...rest } = typeof body === 'object' && body !== null ? body : {}
  const shown = request_id === undefined ? text : JSON.stringify(rest)
  if (status < 500) return `${status} ${shown.slice(0, 300)}${otherwise}`
  const logged = logs.findLast(
    (line) => request_id !== undefined && line.includes(request_id) && line.includes('"err":'),
  )
  return logged === undefined ? `${status} ${shown.slice(0, 300)}` : `${status}\n      ${errorIn(logged)}`
}

/** What the error is, and where in the code it was thrown. */
function errorIn(line: string): string {
  const { type, message, stack } = JSON.parse(line).err
  const place = /^ +(at .*)$/m.exec(stack ?? '')?.[1]
  return `${type}: ${String(message).replace(/\s*\n\s*/g, ' ')}${place ? ` (${place})` : ''}`
}
