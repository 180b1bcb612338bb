import type { FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { type AppError, notFound, permissionDenied, storeAccessDenied, tenantRequired } from '../errors.ts'
import type { RegisteredRoute } from '../registry.ts'
import type { Identity } from './identify.ts'

/** The store of `X-Store-ID`, once it is certain that it exists, is active and that the caller may act there. */
export async function storeContext(core: Core, identity: Identity, storeId: string): Promise<string> {
  const { principal, resolved } = identity
  if (principal.tenantId === null) throw tenantRequired()
  if (resolved.tenantWide.size === 0 && !resolved.byStore.has(storeId)) throw storeAccessDenied()
  if (!(await core.standings.hasStore(resolved, principal.tenantId, storeId))) throw storeAccessDenied()
  return storeId
}

/** Whether the caller may use the route. Throws 403, or 404 for a store whose existence the caller may not know. */
export function authorize(
  route: RegisteredRoute,
  identity: Identity,
  storeId: string | null,
  request: FastifyRequest,
): void {
  const { access } = route
  const { principal, resolved } = identity
  if (access === 'public' || access === 'self') return
  if (access === 'superAdmin') {
    if (!resolved.superAdmin) throw permissionDenied()
    return
  }
  if (principal.tenantId === null) throw tenantRequired()
  const { permission, store } = access
  if (resolved.tenantWide.has(permission)) return
  const refused = () => permissionDenied({ members: { permission } })
  const heldIn = [...resolved.byStore].filter(([, codes]) => codes.has(permission)).map(([id]) => id)
  if (store === undefined || heldIn.length === 0) throw refused()
  if (store === 'any') return
  if (store === 'header') {
    if (storeId === null || !heldIn.includes(storeId)) throw refused()
    return
  }
  // Path parameters were checked to be UUIDs before.
  const { id } = request.params as { id: string }
  if (!heldIn.includes(id)) throw hidden()
}

/** A store that the caller has no part in looks like one that never was. */
function hidden(): AppError {
  return notFound()
}
