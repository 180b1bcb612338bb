import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { RequestOptions } from '../request.ts'
import type { Filling } from './types.ts'

/** A filling's body and headers as the route takes them: JSON, a form, or bytes as they are. */
export function written(
  route: RegisteredRoute,
  { body, headers, raw }: Pick<Filling, 'body' | 'headers' | 'raw'>,
): Pick<RequestOptions, 'body' | 'payload' | 'headers'> {
  if (route.raw !== undefined) {
    const type = route.raw === true ? 'application/octet-stream' : (route.raw[0] ?? '')
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
