import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { SentFile } from '../form.ts'
import type { RequestOptions } from '../request.ts'
import type { Filling } from './types.ts'

/** A file that most take, if none is given. */
export const SOME_FILE: SentFile = { name: 'note.txt', content: 'Buy milk', type: 'text/plain' }

/** A filling's body and headers as the route takes them: JSON, a form with or without a file, or bytes as they are. */
export function written(
  route: RegisteredRoute,
  { body, headers, raw, file = SOME_FILE }: Pick<Filling, 'body' | 'headers' | 'raw' | 'file'>,
): Pick<RequestOptions, 'body' | 'payload' | 'form' | 'headers'> {
  if (route.form) return { form: { fields: body, file }, headers }
  const types = route.raw ?? route.stream
  if (types !== undefined) {
    const type = types === true ? 'application/octet-stream' : (types[0] ?? '')
    return { payload: raw ?? '{}', headers: { 'content-type': type, ...headers } }
  }
  if (!route.body) return { headers }
  if (route.accepts.includes('json')) return { body, headers }
  return { payload: asForm(body), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } }
}

function asForm(fields: Record<string, unknown> = {}): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  )
  return new URLSearchParams(pairs).toString()
}
