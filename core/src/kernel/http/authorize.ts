import { denied } from '../access/denied.ts'
import { isOfOperators, operatorRolesOf } from '../access/operators.ts'
import { type StorePlace, StoreSight, storeRuleOf } from '../access/store-scope.ts'
import type { Core } from '../core.ts'
import { notFound, permissionDenied, scopeDenied, storeAccessDenied, tenantRequired } from '../errors.ts'
import type { RegisteredRoute } from '../registry.ts'
import type { Identity } from './identify.ts'
import type { Input } from './input.ts'

/** Returns the store of `X-Store-ID` after checking that it exists, is active, and that the caller has rights there. */
export async function storeContext(core: Core, identity: Identity, storeId: string): Promise<string> {
  const { principal, resolved } = identity
  if (principal.tenantId === null) throw tenantRequired()
  if (resolved.tenantWide.size === 0 && !resolved.byStore.has(storeId)) throw storeAccessDenied()
  if (!(await core.standings.hasStore(resolved, principal.tenantId, storeId))) throw storeAccessDenied()
  return storeId
}

/**
 * Checks that the caller may use the route, and for which stores. Throws 403, or 404 for a store in the path that the
 * caller may not know of.
 */
export function authorize(
  route: RegisteredRoute,
  identity: Identity,
  storeId: string | null,
  input: Input,
): StoreSight | undefined {
  const { access } = route
  const { principal, resolved } = identity
  if (access === 'public') return undefined
  if (route.callers === 'people' && principal.userId === null)
    throw scopeDenied({ detail: 'This is for people, not for API keys' })
  if (access === 'self') return undefined
  if (access === 'superAdmin' || isOfOperators(access)) {
    const roles = operatorRolesOf(access) ?? []
    if (!roles.some((role) => resolved.operatorRoles.has(role))) throw permissionDenied()
    return undefined
  }
  if (principal.tenantId === null) throw tenantRequired()
  const { permission } = access
  const rule = storeRuleOf(access)
  if (resolved.tenantWide.has(permission)) return rule?.rows ? new StoreSight(null, permission, rule.rows) : undefined
  const heldIn = [...resolved.byStore].filter(([, codes]) => codes.has(permission)).map(([id]) => id)
  const refused = () => denied(permission, resolved.scopes)
  if (rule === null || heldIn.length === 0) throw refused()
  if (rule.shared) return undefined
  if (rule.named === null) return new StoreSight(heldIn, permission, rule.rows)
  const named = storeNamed(rule.named, storeId, input)
  // A store in the path in which the caller has no rights looks like an unknown one.
  if (named === null || !heldIn.includes(named)) throw rule.named.startsWith('params/') ? notFound() : refused()
  return new StoreSight([named], permission, rule.rows)
}

function storeNamed(place: StorePlace, storeId: string | null, { params, query, body }: Input): string | null {
  if (place === 'headers/x-store-id') return storeId
  const [source, name = ''] = place.split('/')
  const fields = source === '#' ? body : source === 'query' ? query : params
  const value = typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>)[name] : undefined // an object
  return typeof value === 'string' ? value.toLowerCase() : null
}
