import Type from 'typebox'
import type { Origin } from '../context.ts'
import type { Core } from '../core.ts'
import { createContext } from '../create-context.ts'
import { defineEvent } from '../events/define.ts'
import type { Identity } from '../http/identify.ts'
import { Closed, Uuid } from '../http/schemas.ts'
import { isUuid } from '../ids.ts'

/** Whatever an operator asks for as somebody else, whether it was answered or refused. Of its content it keeps the ids of the path. */
export const impersonatedRequest = defineEvent('admin.impersonated_request', {
  description: 'An operator sent a request as a person of the tenant',
  resource: 'request',
  data: Closed({
    method: Type.String({ examples: ['GET'] }),
    route: Type.String({ examples: ['/api/v1/things/:id'] }),
    status: Type.Integer({ description: 'What it was answered', examples: [200] }),
    path_ids: Type.Array(Closed({ name: Type.String({ examples: ['id'] }), id: Uuid }), {
      description: 'The ids in its path',
    }),
  }),
})

export interface ImpersonatedRequest {
  /** As it was sent: HEAD too. */
  method: string
  /** As it is declared: what else its path holds may be a secret. */
  route: string
  params: unknown
  status: number
  identity: Identity
  origin: Origin
}

/** Records a request in the tenant's log, in a transaction of its own, whatever became of that of the request. */
export async function recordImpersonated(core: Core, request: ImpersonatedRequest): Promise<void> {
  const { method, route, status, identity, origin } = request
  const { principal, resolved } = identity
  const path_ids = idsIn(request.params)
  const content = {
    id: path_ids[0]?.id ?? null,
    label: `${method} ${route}`,
    after: { method, route, status, path_ids },
  }
  const seed = { tenant: principal.tenantId, storeId: null, actor: resolved.actor, origin, principal, resolved }
  await createContext(core, seed).transaction((ctx) => ctx.emit(impersonatedRequest, content))
}

/** Parameters that are ids by name and form; any other may be a token. */
function idsIn(params: unknown): { name: string; id: string }[] {
  const entries: [string, unknown][] = Object.entries(params ?? {})
  return entries.flatMap(([name, value]) =>
    /^(?:\w+_)?id$/.test(name) && typeof value === 'string' && isUuid(value) ? [{ name, id: value.toLowerCase() }] : [],
  )
}
