import assert from 'node:assert/strict'
import type { Answered, TestCore, TestPerson, TestTenant } from '../../testing/index.ts'

export const REASON = 'Ticket 4711: invoices are missing'

/** Begins to act as a member of a tenant. */
export const begin = (
  operator: TestPerson,
  { id }: Pick<TestTenant, 'id'>,
  person: Pick<TestPerson, 'userId'>,
  more: object = {},
): Promise<Answered> =>
  operator.post(`/admin/tenants/${id}/impersonate`, { user_id: person.userId, reason: REASON, ...more })

/** An operator at work as somebody else. */
export interface Acting {
  token: string
  sessionId: string
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  get(path: string): Promise<Answered>
}

/** The same, begun; `on` another core than the operator's own. */
export async function act(
  test: TestCore,
  operator: TestPerson,
  tenant: Pick<TestTenant, 'id'>,
  { as, write = false }: { as: Pick<TestPerson, 'userId'>; write?: boolean },
): Promise<Acting> {
  const { status, body, text } = await begin(operator, tenant, as, write ? { write } : {})
  assert.equal(status, 200, text)
  return actingBy(test, body.access_token, body.session_id)
}

/** Whoever has the token. */
export function actingBy(test: TestCore, token: string, sessionId: string): Acting {
  const send: Acting['send'] = (method, path, body, headers) =>
    test.request(method, `/api/v1${path}`, { token, body, ...(headers && { headers }) })
  return { token, sessionId, send, get: (path) => send('GET', path) }
}

export interface Recorded {
  action: string
  actor_type: string
  actor_id: string | null
  actor_label: string
  impersonator_id: string | null
  resource_id: string | null
  new_values: Record<string, unknown> | null
}

const COLUMNS = 'action, actor_type, actor_id, actor_label, impersonator_id, resource_id, new_values'

/** What the tenant's own log says, the oldest first. */
export const recordsOf = ({ core }: TestCore, tenantId: string, action = '%') =>
  core.db.systemQuery<Recorded>(
    `select ${COLUMNS} from audit_logs where tenant_id = $1 and action like $2 order by id`,
    [tenantId, action],
  )

/** The requests of operators that the tenant's own log tells of: method, route and status. */
export async function requestsIn(test: TestCore, tenantId: string): Promise<string[]> {
  const records = await recordsOf(test, tenantId, 'admin.impersonated_request')
  return records.map(({ new_values: told }) => `${told?.method} ${told?.route} ${told?.status}`)
}
