import Type from 'typebox'
import { MINUTES } from '../clock.ts'
import type { Origin } from '../context.ts'
import type { Core } from '../core.ts'
import { createContext } from '../create-context.ts'
import { AppError, permissionDenied, scopeDenied, storeAccessDenied } from '../errors.ts'
import { defineEvent } from '../events/define.ts'
import type { Identity } from '../http/identify.ts'
import { Closed, Nullable, OneOf } from '../http/schemas.ts'
import type { RegisteredRoute } from '../registry.ts'
import { operatorRolesOf } from './operators.ts'

const CODES = [permissionDenied.code, scopeDenied.code, storeAccessDenied.code]

/** A signed-in person or an API key was refused in a tenant, or by a route of operators. It names the route, not the content of the request. */
export const accessDenied = defineEvent('access.denied', {
  description: 'A request was refused because its sender may not do this, or not in this store',
  data: Closed({
    code: OneOf(CODES),
    method: Type.String({ examples: ['DELETE'] }),
    route: Type.String({ examples: ['/api/v1/things/:id'] }),
    permission: Nullable(Type.String({ description: 'What was lacking', examples: ['store.delete'] })),
  }),
})

/** How often one actor's refusals by one route are recorded, so that repeating a request can't fill the disk. */
const EVERY_MS = MINUTES
/** Entries remembered in a process; beyond that the oldest are dropped. */
const MOST_REMEMBERED = 10_000
const recordedAt = new WeakMap<Core, Map<string, number>>()

export interface RefusedRequest {
  route: RegisteredRoute
  identity: Identity
  origin: Origin
}

/**
 * Records a refusal in its own transaction, because that of the request is rolled back. Other errors than a refused
 * permission or store, and requests outside of a tenant, are skipped. What a route of operators refuses is recorded in
 * the log of the installation, whatever tenant its sender is in. A failure to record is logged and does not change the
 * answer.
 */
export async function recordRefusal(core: Core, request: RefusedRequest, thrown: unknown): Promise<void> {
  if (!(thrown instanceof AppError) || !CODES.includes(thrown.code)) return
  const { route, identity, origin } = request
  const { principal, resolved } = identity
  const isOfInstallation = operatorRolesOf(route.access) !== null
  const tenant = isOfInstallation ? null : principal.tenantId
  if ((tenant === null && !isOfInstallation) || isRecent(core, request)) return
  const { method, url } = route
  const permission = thrown.details.members?.permission
  const content = {
    after: { code: thrown.code, method, route: url, permission: typeof permission === 'string' ? permission : null },
    label: `${method} ${url}`,
  }
  const seed = { tenant, storeId: null, actor: resolved.actor, origin, principal, resolved }
  try {
    const within = isOfInstallation ? ({ role: 'system', tenantId: null } as const) : {} // words are types
    await createContext(core, seed).transaction((ctx) => ctx.emit(accessDenied, content), within)
  } catch (error) {
    // It was not recorded, so the next refusal is recorded again.
    recordedAt.get(core)?.delete(keyOf(request))
    core.log.error({ err: error, request_id: origin.requestId }, 'a refusal could not be recorded')
  }
}

/** Whether the same refusal was recorded recently; if not, it counts as recorded from now on. */
function isRecent(core: Core, request: RefusedRequest): boolean {
  let times = recordedAt.get(core)
  if (!times) {
    times = new Map()
    recordedAt.set(core, times)
  }
  const key = keyOf(request)
  const now = core.clock.ms()
  const last = times.get(key)
  // Times in the future were written before the clock was set back and are ignored.
  if (last !== undefined && now >= last && now - last < EVERY_MS) return true
  // Deleted and set again, so that the map stays ordered by time.
  times.delete(key)
  times.set(key, now)
  for (const [oldest, at] of times) {
    if (now - at < EVERY_MS && times.size <= MOST_REMEMBERED) break
    times.delete(oldest)
  }
  return false
}

function keyOf({ route, identity: { principal, resolved } }: RefusedRequest): string {
  const { type, id, impersonatorId } = resolved.actor
  // In the log of the installation somebody counts once, however many tenants they ask from.
  const tenant = operatorRolesOf(route.access) === null ? principal.tenantId : null
  return `${tenant} ${type} ${id} ${impersonatorId} ${route.method} ${route.url}`
}
