import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Grounds, noGrounds } from '../access/grounds.ts'
import { requireNotRefused, writesNothing } from '../access/impersonation.ts'
import { operatorRolesOf } from '../access/operators.ts'
import { recordRefusal } from '../access/refusals.ts'
import type { Actor } from '../access/slots.ts'
import type { StoreSight } from '../access/store-scope.ts'
import type { Ctx, ListRequest, Origin } from '../context.ts'
import type { Core } from '../core.ts'
import { anonymousActor, createContext } from '../create-context.ts'
import { unauthenticated } from '../errors.ts'
import { countAnswer } from '../load/answers.ts'
import type { RouteLimiter } from '../rates/limiter.ts'
import type { RegisteredRoute } from '../registry.ts'
import { authorize, storeContext } from './authorize.ts'
import { bringsCookies } from './declared.ts'
import { opened, type Prepared, prepare, send } from './finish.ts'
import { readIdempotencyKey } from './idempotency.ts'
import type { Identity } from './identify.ts'
import type { Input } from './input.ts'
import { isSafe } from './methods.ts'
import { answerOnce } from './once.ts'
import { assertOwnPage } from './own-page.ts'
import { perform } from './perform.ts'
import { DEFAULT_PAGE } from './schemas.ts'
import { sessionless } from './sessionless.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read. */
    identity: Identity | null
    /** The client's address, as far as it can be trusted. */
    address: string | null
    /** Our handler has begun: what fails from now on is no refusal by a plugin. */
    isHandled: boolean
  }
}

/**
 * Makes the function that answers a route: validate → account's rate limit → store → permission → transaction → handler
 * → answer. The credential was looked at, and requests counted by it, before the body was read.
 */
export function createHandler(
  core: Core,
  route: RegisteredRoute,
  { countAccount, holdDownload }: Pick<RouteLimiter, 'countAccount' | 'holdDownload'>,
) {
  const prepared = prepare(core, route, holdDownload)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    request.isHandled = true
    const input = prepared.readInput(request)
    if (countAccount) await countAccount(request, reply, input.body)
    const { identity } = request
    if (route.access === 'public') return answer(core, prepared, request, reply, input)
    // Set before the body was read, or the request would have ended there.
    if (!identity) throw unauthenticated()
    try {
      return await answer(core, prepared, request, reply, input)
    } catch (thrown) {
      await recordRefusal(core, { route, identity, origin: originOf(request) }, thrown)
      throw thrown
    }
  }
}

/**
 * Before the body is read: throws 403 `permission_denied` for an operator who acts as somebody else and may not do this so,
 * on public routes too.
 */
export async function refuseImpersonated(core: Core, route: RegisteredRoute, request: FastifyRequest): Promise<void> {
  const { identity } = request
  if (!identity) return
  try {
    requireNotRefused(route, identity)
  } catch (thrown) {
    await recordRefusal(core, { route, identity, origin: originOf(request) }, thrown)
    throw thrown
  }
}

/** What is left of a request once its credential and its form are known to be good. */
async function answer(
  core: Core,
  prepared: Prepared,
  request: FastifyRequest,
  reply: FastifyReply,
  input: Input,
): Promise<FastifyReply> {
  const { route } = prepared
  const { identity } = request
  if (!isSafe(route.method) && bringsCookies(route, request)) assertOwnPage(core.config, originOf(request))
  const storeId = identity && route.access !== 'public' ? await readStore(core, identity, request) : null
  const sight = identity ? authorize(route, identity, storeId, input) : undefined
  // What is only looked at is answered anew: keeping an answer would be a write.
  const isKept = route.idempotent && !(identity && writesNothing(route, identity))
  const key = isKept ? readIdempotencyKey(request.headers['idempotency-key']) : null
  const call: Call = { core, prepared, request, reply, input, storeId, sight }
  if (key === null) {
    const ctx = contextOf(call)
    const answer = await perform(core, prepared, ctx, input)
    const ready = await opened(prepared, answer, request, () => prepared.holdDownload?.(request, reply))
    // Of a client that leaves while it gets a stream nobody tells.
    if (ready.stream) reply.raw.once('close', () => countAnswer(core.load, request, reply))
    return send(reply, ready)
  }
  const grounds = noGrounds()
  const answered = await answerOnce({ ...call, ctx: contextOf(call, grounds), key, grounds })
  return send(answered.isReplayed ? reply.header('idempotent-replayed', 'true') : reply, answered.answer)
}

/** A request that may be made, with what was found out about it. */
interface Call {
  core: Core
  prepared: Prepared
  request: FastifyRequest
  reply: FastifyReply
  input: Input
  /** Of `X-Store-ID`. */
  storeId: string | null
  sight: StoreSight | undefined
}

/** The context that the handler gets, but for its transaction. `grounds` are told what the answer rests on. */
function contextOf({ core, prepared, request, reply, input, storeId, sight }: Call, grounds?: Grounds): Ctx {
  const { route } = prepared
  const { identity } = request
  return createContext(core, {
    tenant: route.access === 'public' ? null : (identity?.principal.tenantId ?? null),
    storeId,
    isStoreUnread: !route.storeHeader,
    actor: actorOf(route, identity),
    origin: originOf(request),
    principal: identity && (route.idempotent ? sessionless(route, identity.principal) : identity.principal),
    resolved: identity?.resolved ?? null,
    identity,
    sight,
    list: prepared.isList ? listRequest(route, identity, storeId, input) : undefined,
    unawaited: () => unawaitedOf(request, reply),
    grounds,
    isReadOnly: identity !== null && writesNothing(route, identity),
    isOfNobody: operatorRolesOf(route.access) !== null,
    mayCross: route.acrossTenants,
    mayEnter: route.access === 'public' || route.entersTenants,
    log: request.log,
  })
}

/** Whoever uses a route of operators acts as one of them: records of tenants show it. */
function actorOf({ access }: RegisteredRoute, identity: Identity | null): Actor {
  const actor = identity?.resolved.actor ?? anonymousActor
  return operatorRolesOf(access) === null ? actor : { ...actor, type: 'admin' }
}

/** Aborted once nobody waits for the body of the answer. */
function unawaitedOf({ method }: FastifyRequest, { raw }: FastifyReply): AbortSignal {
  if (method === 'HEAD' || raw.destroyed) return AbortSignal.abort()
  const controller = new AbortController()
  raw.once('close', () => controller.abort())
  return controller.signal
}

async function readStore(core: Core, identity: Identity, { headers }: FastifyRequest): Promise<string | null> {
  const header = headers['x-store-id']
  return typeof header === 'string' ? storeContext(core, identity, header.toLowerCase()) : null
}

function listRequest(
  route: RegisteredRoute,
  identity: Identity | null,
  storeId: string | null,
  { params, query }: Input,
): ListRequest {
  const { limit, cursor, ...filters } = query
  const scope = [
    route.url,
    identity?.principal.tenantId,
    identity?.principal.userId,
    storeId,
    Object.entries(params).sort(),
    Object.entries(filters).sort(),
  ]
  return {
    limit: typeof limit === 'number' ? limit : DEFAULT_PAGE,
    cursor: typeof cursor === 'string' ? cursor : null,
    fingerprint: JSON.stringify(scope),
  }
}

export function originOf(request: FastifyRequest): Origin {
  const fetchSite = request.headers['sec-fetch-site']
  return {
    requestId: request.id,
    ipAddress: request.address,
    userAgent: request.headers['user-agent']?.slice(0, 500) ?? null,
    acceptLanguage: request.headers['accept-language']?.slice(0, 500) ?? null,
    page: { origin: request.headers.origin ?? null, fetchSite: fetchSite?.toString() ?? null },
  }
}
