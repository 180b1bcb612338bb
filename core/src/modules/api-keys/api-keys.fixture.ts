import type { Answered, RequestOptions, TestCore, TestPerson, TestTenant } from '../../testing/index.ts'

/** A key, as its maker got it. */
export interface MadeKey {
  id: string
  key: string
  // biome-ignore lint/suspicious/noExplicitAny: the whole answer, which tests look into
  body: any
}

/** Makes a key; throws unless it succeeds. */
export async function makeKey(person: TestPerson, fields: Record<string, unknown> = {}): Promise<MadeKey> {
  const { status, body, text } = await person.post('/api-keys', { name: 'Till', scopes: ['store.view'], ...fields })
  if (status !== 201) throw new Error(`POST /api-keys answered ${text}`)
  return { id: body.id, key: body.key, body }
}

/** Sends a request with a key. */
export const asKey = (
  test: TestCore,
  key: string,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answered> => test.request(method, `/api/v1${path}`, { token: key, ...options })

/** `200`, or `403 scope_denied`: what a request with a key comes to. */
export async function outcome(test: TestCore, key: string, path = '/stores', method = 'GET'): Promise<string> {
  const { status, body } = await asKey(test, key, method, path)
  return status < 300 ? String(status) : `${status} ${body.code}`
}

/** The names and contents of what happened to a key, the first first. */
export const recordsOf = ({ id, run }: TestTenant, keyId: string) =>
  run(({ tx }) =>
    tx
      .selectFrom('audit_logs')
      .select(['action', 'actor_type', 'actor_id', 'old_values', 'new_values'])
      .where('tenant_id', '=', id)
      .where('resource_id', '=', keyId)
      .orderBy('id')
      .execute(),
  )

export const pointersOf = ({ body }: Answered): string[] =>
  (body.errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()
